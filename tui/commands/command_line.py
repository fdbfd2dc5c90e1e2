"""The commands that can be typed after `:`: every command of the palette by name, and some with an argument.

new shop-1      go shop-1      filter phase:failed      sort age      theme urumi-light      q
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tui.commands.palette import offered
from tui.model.filter import Filter
from tui.text.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    from tui.host import Host


async def run_command(text: str, screen: Screen[Any], host: Host) -> None:
    """Run a command on a screen, or show why it cannot be run."""
    name, _, argument = text.strip().partition(" ")
    argument = argument.strip()
    if not name:
        return
    with_argument: dict[str, Callable[[str], object]] = {
        "new": host.new_store,
        "go": host.go_to,
        "filter": lambda text: host.narrow_list(Filter(text)),
        "sort": lambda title: _sort(title, host),
        "theme": host.choose_theme,
    }
    if name == "q":
        screen.app.exit()
        return
    if argument and name in with_argument:
        with_argument[name](argument)
        return
    plain = {command.name: action for command, action in offered(screen)}
    if name in plain and not argument:
        node = screen.focused if plain[name].startswith("focused.") else screen
        await screen.app.run_action(plain[name].removeprefix("focused."), node)
    elif name in with_argument:
        host.show_message(f"{name} needs an argument.", severity="warning")
    elif name in plain:
        host.show_message(f"{name} takes no argument, got {argument!r}.", severity="warning")
    else:
        near = get_close_matches(name, [*plain, *with_argument, "q"], 1, 0.5)
        hint = f"Did you mean {near[0]!r}?" if near else "Press ctrl+p to list all commands."
        host.show_message(f"Unknown command {name!r}. {hint}", severity="warning")


def _sort(title: str, host: Host) -> None:
    for column in COLUMNS:
        if column.title.lower().startswith(title.lower()):
            host.sort_list(column)
            return
    titles = ", ".join(column.title.lower() for column in COLUMNS)
    host.show_message(f"Unknown column {title!r}. Known columns: {titles}.", severity="warning")
