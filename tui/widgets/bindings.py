"""The commands of a scope as Textual binds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding

if TYPE_CHECKING:
    from textual.binding import BindingType

    from tui.model.keymap import Scope


def bindings(scope: Scope) -> list[BindingType]:
    """Return the bindings of a scope; the key bar shows those that have a label."""
    return [
        Binding(each.keys, each.action, each.label or each.title, show=bool(each.label), id=each.id)
        for each in scope.commands
    ]
