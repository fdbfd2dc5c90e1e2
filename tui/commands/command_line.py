"""What may be typed after `:`: every command of the palette by name, and some that take a word.

new shop-1      go shop-1      filter phase:failed      sort age      theme urumi-light      q
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from tui.commands.palette import offered
from tui.model.filter import Filter
from tui.text.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.screens.stores import StoresScreen

WITH_A_WORD = ("new", "go", "filter", "sort", "theme", "q")


async def obey(text: str, screen: StoresScreen) -> None:
    """Do what was typed, or say why not."""
    name, _, word = text.strip().partition(" ")
    word = word.strip()
    if not name:
        return
    special = _special(screen).get(name)
    if special is not None and (word or name == "q"):
        special(word)
        return
    for command, action in offered(screen):
        if command.name == name and not word:
            node = screen.focused if action.startswith("focused.") else screen
            await screen.app.run_action(action.removeprefix("focused."), node)
            return
    screen.dashboard.say(_unknown(name, word, screen), severity="warning")


def _special(screen: StoresScreen) -> dict[str, Callable[[str], object]]:
    return {
        "new": screen.new,
        "go": screen.dashboard.go_to,
        "filter": lambda text: screen.narrow(Filter(text)),
        "sort": lambda title: _sort(screen, title),
        "theme": screen.dashboard.choose_theme,
        "q": lambda word: screen.app.exit(),
    }


def _sort(screen: StoresScreen, title: str) -> None:
    for column in COLUMNS:
        if column.title.lower().startswith(title.lower()):
            screen.sort(column)
            return
    titles = ", ".join(column.title.lower() for column in COLUMNS)
    screen.dashboard.say(f"There is no column {title!r}. There are: {titles}.", severity="warning")


def _unknown(name: str, word: str, screen: StoresScreen) -> str:
    known = {command.name for command, _ in offered(screen)}
    if name in known and word:
        return f"{name!r} takes no words, got {word!r}."
    near = get_close_matches(name, known | set(WITH_A_WORD), 1, 0.5)
    return f"There is no command {name!r}. {f'Did you mean {near[0]!r}?' if near else 'ctrl+p lists them.'}"
