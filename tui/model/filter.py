"""The filter of the list: terms that must all match, as on the page.

word            somewhere in the store: its id, phase, engine, address, progress, last error, last event
!word           not in the store
phase:failed    the phase starts with the value; `engine:` works the same way
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.model.phases import FAILING_PHASES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from urumi.wire import Store

    Test = Callable[[Store], bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list shows; `failing` leaves only stores that are Failed or Degraded."""

    text: str = ""
    failing: bool = False

    def __bool__(self) -> bool:
        return self.failing or bool(self.text.strip())

    def test(self) -> Test:
        """Return the test that a store must pass to be shown."""
        tests = [_term(word) for word in self.text.lower().split()]
        if self.failing:
            tests.append(lambda store: store.phase in FAILING_PHASES)
        return lambda store: all(matches(store) for matches in tests)

    def description(self) -> str:
        """Return the filter as text."""
        return " ".join(filter(None, ("failed or degraded" if self.failing else "", self.text.strip())))


def _term(word: str) -> Test:
    if len(word) > 1 and word.startswith("!"):
        matches = _term(word[1:])
        return lambda store: not matches(store)
    field, colon, value = word.partition(":")
    if colon and field == "phase":
        return lambda store: store.phase.value.lower().startswith(value)
    if colon and field == "engine":
        return lambda store: store.engine.value.startswith(value)
    return lambda store: any(word in part.lower() for part in _searched(store))


def _searched(store: Store) -> Iterator[str]:
    yield from (store.store_id, store.phase.value, store.engine.value, store.url, store.namespace, store.release_name)
    if store.progress:
        yield from (store.progress.step, store.progress.message)
    if store.last_error:
        yield from (store.last_error.reason, store.last_error.message)
    if store.requested_by:
        yield store.requested_by.user
    if store.events:
        yield from (store.events[-1].type, store.events[-1].message)
