"""Finding by name: the palette (ctrl+p) with stores and commands, and what the `:` line suggests."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.suggester import Suggester

from tui.model.keymap import SCOPES, Command
from tui.text.problems import dashboard_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.screen import Screen

    from tui.screens.stores import StoresScreen

MOST_STORES = 50


def offered(screen: Screen[Any]) -> Iterator[tuple[Command, str]]:
    """Return the commands that can be run on a screen, each with the action as that screen runs it."""
    for scope in SCOPES:
        for command in scope.commands:
            if command.in_palette and (action := _runnable(screen, command.action)):
                yield command, action


def _runnable(screen: Screen[Any], action: str) -> str:
    name = action.partition(".")[2] or action
    for namespace, node in (("screen", screen), ("focused", screen.focused), ("app", screen.app)):
        if node is not None and hasattr(node, f"action_{name.partition('(')[0]}"):
            return f"{namespace}.{name}"
    return ""


class CommandProvider(Provider):
    """The commands that work on the screen below the palette."""

    @property
    def _named(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        for command, action in offered(self.screen):
            group = command.id.partition(".")[0]
            node = self.focused if action.startswith("focused.") else None
            plain = action.removeprefix("focused.")
            title = f"{command.title} ({dashboard_of(self.screen).key_of(command)})"
            yield f"{group}: {command.name}", title, partial(self.app.run_action, plain, node)
        yield "theme: choose", "every theme there is", self.app.search_themes

    async def discover(self) -> Hits:
        """Offer every command."""
        for name, title, run in self._named:
            yield DiscoveryHit(name, run, help=title)

    async def search(self, query: str) -> Hits:
        """Offer the commands whose name or title fits."""
        matcher = self.matcher(query)
        for name, title, run in self._named:
            score = matcher.match(name) or (0.1 if query.lower() in title else 0.0)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, text=name, help=title)


class StoreProvider(Provider):
    """The stores, by id."""

    async def search(self, query: str) -> Hits:
        """Offer the stores whose id fits."""
        dashboard = dashboard_of(self.screen)
        matcher = self.matcher(query)
        found = ((matcher.match(store_id), store_id) for store_id in list(dashboard.session.stores))
        best = sorted(((score, store_id) for score, store_id in found if score > 0), reverse=True)
        for score, store_id in best[:MOST_STORES]:
            run = partial(dashboard.go_to, store_id)
            name = f"go to: {store_id}"
            yield Hit(score, matcher.highlight(name), run, text=name, help="show it in the list")


class CommandSuggester(Suggester):
    """Completes a command of the `:` line, or the id of a store behind `go`."""

    def __init__(self, screen: StoresScreen) -> None:
        super().__init__(use_cache=False)
        self._screen = screen

    async def get_suggestion(self, value: str) -> str | None:
        """Return the whole line that the beginning may become."""
        candidates = [command.name for command, _ in offered(self._screen)]
        candidates += [f"go {store_id}" for store_id in self._screen.dashboard.session.stores]
        return next((each for each in candidates if each.startswith(value) and each != value), None)
