"""Idempotency-Key: which request made which store, remembered by the store itself.

    POST with a key --> mark (digest of user and key) --> annotation of the Store --> informer of every replica

Nothing is kept in a process that the Store does not say too, so every replica answers a repeated request alike, and a
restart forgets no store that is there. What was made and is gone again is remembered by each process that saw it go,
for KEPT_SECONDS and at most KEPT_GONE keys: the one thing that a restart of all replicas at once forgets.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple

from reconciler.kube.resources import annotations_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.cache.informer import Informer
    from reconciler.kube.resources import Object

REQUEST_ANNOTATION = "stores.urumi.ai/request"
KEPT_SECONDS = 24 * 3600.0
KEPT_GONE = 10_000
_KEYED = "key-"


class Made(NamedTuple):
    """The store that a request made."""

    store_id: str
    engine: str
    uid: str


class Keys:
    """Knows by the mark of a request what it made."""

    def __init__(self, stores: Informer, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._made: dict[str, Made] = {}
        self._gone: dict[str, tuple[float, Made]] = {}
        self._monotonic = monotonic
        stores.on_change(self._take)

    def made(self, mark: str) -> Made | None:
        """Return the store that a request made and that is there, as far as is known here."""
        return self._made.get(mark)

    def gone(self, mark: str) -> Made | None:
        """Return the store that a request made and that is gone."""
        self._forget()
        known = self._gone.get(mark)
        return known[1] if known else None

    def _take(self, before: Object | None, after: Object | None) -> None:
        store = after or before
        if store is None or not (mark := mark_of(store)).startswith(_KEYED):
            return
        meta = store["metadata"]
        made = Made(meta["name"], store["spec"]["engine"], meta["uid"])
        if after is not None:
            self._made[mark] = made
        elif self._made.pop(mark, None) is not None:
            self._gone[mark] = (self._monotonic(), made)
            self._forget()

    def _forget(self) -> None:
        oldest = self._monotonic() - KEPT_SECONDS
        while self._gone:
            mark = next(iter(self._gone))
            if len(self._gone) <= KEPT_GONE and self._gone[mark][0] > oldest:
                return
            del self._gone[mark]


def new_mark(user: str, key: str) -> str:
    """Return the mark of a request: the same for the same user and key, a new one where there is no key."""
    if not key:
        return f"once-{secrets.token_hex(8)}"
    return _KEYED + hashlib.sha256(f"{user}\0{key}".encode()).hexdigest()[:32]


def mark_of(store: Object) -> str:
    """Return the mark of the request that made a store, empty where it was not made through this API."""
    return str(annotations_of(store).get(REQUEST_ANNOTATION, ""))
