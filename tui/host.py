"""What screens, dialogs and commands may use of the dashboard.

`tui.app.Dashboard` is the one implementation. Screens and commands depend on this protocol, so the application can
import them and they never import the application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, cast

if TYPE_CHECKING:
    from datetime import datetime

    from textual.dom import DOMNode
    from textual.signal import Signal

    from tui.model.filter import Filter
    from tui.model.keymap import Command
    from tui.model.session import Session
    from tui.model.settings import Settings
    from tui.text.columns import Column
    from tui.text.glyphs import Glyphs

Severity = Literal["information", "warning", "error"]


class Host(Protocol):
    """The dashboard as its screens see it.

    Attributes:
        changed: publishes the ids of changed stores, a few times a second at most.
        tick: publishes once a second, and when the connection changes, that texts about time are to be updated.
    """

    settings: Settings
    glyphs: Glyphs
    session: Session
    changed: Signal[frozenset[str]]
    tick: Signal[None]

    def now(self) -> datetime:
        """Return the time."""

    def show_message(self, text: str, *, severity: Severity = "information") -> None:
        """Show a message for a few seconds."""

    def copy(self, text: str, name: str, *, secret: bool = False) -> None:
        """Copy a text; `name` says in the message what was copied. A secret is not written to a file."""

    def open_address(self, address: str) -> None:
        """Open a web address in a browser."""

    def key_of(self, command: Command) -> str:
        """Return the first key of a command as it is shown to a person."""

    def new_store(self, store_id: str = "") -> None:
        """Open the dialog that creates a store."""

    def go_to(self, store_id: str) -> None:
        """Show a store in the list."""

    def narrow_list(self, wanted: Filter) -> None:
        """Show only the stores that match the filter."""

    def sort_list(self, column: Column) -> None:
        """Sort the list by a column."""

    def choose_theme(self, name: str) -> None:
        """Use a theme."""


def host_of(node: DOMNode) -> Host:
    """Return the dashboard that a screen or widget belongs to."""
    return cast("Host", node.app)
