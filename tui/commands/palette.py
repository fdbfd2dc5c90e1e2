"""Finding by name: the palette (ctrl+p) with stores and commands, and the suggestions of the `:` line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.suggester import Suggester

from tui.host import host_of
from tui.model.keymap import SCOPES, Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.screen import Screen

MOST_STORES = 50


def offered(screen: Screen[Any]) -> Iterator[tuple[Command, str]]:
    """Return the commands that a screen can run, each with the action for that screen."""
    for scope in SCOPES:
        for command in scope.commands:
            name = command.action.partition(".")[2] or command.action
            nodes = (("screen", screen), ("focused", screen.focused), ("app", screen.app))
            for namespace, node in nodes if command.in_palette else ():
                if node is not None and hasattr(node, f"action_{name.partition('(')[0]}"):
                    yield command, f"{namespace}.{name}"
                    break


class CommandProvider(Provider):
    """The commands of the screen below the palette."""

    @property
    def _named(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        for command, action in offered(self.screen):
            group = command.id.partition(".")[0]
            node = self.focused if action.startswith("focused.") else None
            plain = action.removeprefix("focused.")
            title = f"{command.title} ({host_of(self.screen).key_of(command)})"
            yield f"{group}: {command.name}", title, partial(self.app.run_action, plain, node)
        yield "theme: choose", "choose a theme", self.app.search_themes

    async def discover(self) -> Hits:
        """Offer every command."""
        for name, title, run in self._named:
            yield DiscoveryHit(name, run, help=title)

    async def search(self, query: str) -> Hits:
        """Offer the commands whose name or title matches."""
        matcher = self.matcher(query)
        for name, title, run in self._named:
            score = matcher.match(name) or (0.1 if query.lower() in title else 0.0)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, text=name, help=title)


class StoreProvider(Provider):
    """The stores, by id."""

    async def search(self, query: str) -> Hits:
        """Offer the stores whose id matches."""
        host = host_of(self.screen)
        matcher = self.matcher(query)
        found = ((matcher.match(store_id), store_id) for store_id in list(host.session.stores))
        best = sorted(((score, store_id) for score, store_id in found if score > 0), reverse=True)
        for score, store_id in best[:MOST_STORES]:
            run = partial(host.go_to, store_id)
            name = f"go to: {store_id}"
            yield Hit(score, matcher.highlight(name), run, text=name, help="show the store in the list")


class CommandSuggester(Suggester):
    """Completes a command of the `:` line, or a store id after `go`."""

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__(use_cache=False)
        self._screen = screen

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first line that starts with the typed text."""
        candidates = [command.name for command, _ in offered(self._screen)]
        candidates += [f"go {store_id}" for store_id in host_of(self._screen).session.stores]
        return next((each for each in candidates if each.startswith(value) and each != value), None)
