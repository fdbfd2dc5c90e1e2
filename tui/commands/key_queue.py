"""Keys in their order: each is delivered after the previous one was handled.

Textual delivers a key to the focused widget and reads the next one at once. Keys that arrive together, over a slow
connection or from a paste, would all go to the widget that had the focus at the first of them: `/sale` would run as
keys of the list instead of being typed into the filter. A key is handled when it has passed its target and all
ancestors up to the application, which runs the bindings.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import App
    from textual.dom import DOMNode
    from textual.events import Key

OPENING_SECONDS = 0.01
MOST_SECONDS = 0.1  # a removed target never reports that it handled the key


class KeyQueue:
    """The keys that were not delivered yet."""

    def __init__(self, app: App[None], deliver: Callable[[Key], Awaitable[None]]) -> None:
        self._app = app
        self._deliver = deliver
        self._waiting: deque[Key] = deque()
        self._turn = 0
        self._is_busy = False

    async def put(self, key: Key) -> None:
        """Deliver a key now, or after the keys before it."""
        self._waiting.append(key)
        if self._is_busy:
            self._app.set_timer(MOST_SECONDS, self._after(self._turn))
        else:
            await self._next()

    async def _next(self) -> None:
        self._is_busy = bool(self._waiting)
        if not self._waiting:
            return
        self._turn += 1
        if not self._app.screen.is_mounted:  # a dialog that the previous key opens
            self._app.set_timer(OPENING_SECONDS, self._after(self._turn))
            return
        key, target = self._waiting.popleft(), self._app.focused or self._app.screen
        await self._deliver(key)
        self._follow(list(target.ancestors_with_self), self._after(self._turn))

    def _follow(self, nodes: list[DOMNode], done: Callable[[], Awaitable[None]]) -> None:
        # The callback waits in the queue of each node behind the key, in the order in which the key passes them.
        first, *rest = nodes
        if rest:
            first.call_later(self._follow, rest, done)
        else:
            first.call_later(done)

    def _after(self, turn: int) -> Callable[[], Awaitable[None]]:
        async def done() -> None:
            if turn == self._turn and self._is_busy:
                await self._next()

        return done
