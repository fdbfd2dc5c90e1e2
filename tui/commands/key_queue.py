"""Keys in their order: each is delivered when the one before it was dealt with.

Textual gives a key to what has the focus and reads on. Keys that come in one go, over a slow line or out of a paste,
would all go to what had the focus at the first of them: `/sale` would not be typed into the filter but run as keys of
the list. A key is dealt with when it has come up through everything above its target to the application, where
bindings are run.
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
MOST_SECONDS = 0.1  # a target that is gone never says that it is done


class KeyQueue:
    """The keys that came and were not delivered yet."""

    def __init__(self, app: App[None], deliver: Callable[[Key], Awaitable[None]]) -> None:
        self._app = app
        self._deliver = deliver
        self._waiting: deque[Key] = deque()
        self._turn = 0
        self._is_out = False

    async def put(self, key: Key) -> None:
        """Deliver a key, now or when those before it are done."""
        self._waiting.append(key)
        if self._is_out:
            self._app.set_timer(MOST_SECONDS, self._after(self._turn))
        else:
            await self._next()

    async def _next(self) -> None:
        self._is_out = bool(self._waiting)
        if not self._waiting:
            return
        self._turn += 1
        if not self._app.screen.is_mounted:  # a dialog that was asked for by the key before
            self._app.set_timer(OPENING_SECONDS, self._after(self._turn))
            return
        key, target = self._waiting.popleft(), self._app.focused or self._app.screen
        await self._deliver(key)
        self._follow(list(target.ancestors_with_self), self._after(self._turn))

    def _follow(self, nodes: list[DOMNode], done: Callable[[], Awaitable[None]]) -> None:
        # Behind the key in the queue of each node that it comes through.
        first, *rest = nodes
        if rest:
            first.call_later(self._follow, rest, done)
        else:
            first.call_later(done)

    def _after(self, turn: int) -> Callable[[], Awaitable[None]]:
        async def done() -> None:
            if turn == self._turn and self._is_out:
                await self._next()

        return done
