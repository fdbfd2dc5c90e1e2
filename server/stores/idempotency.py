"""Idempotency keys: which request created which store, recorded in the store itself.

    POST with a key --> fingerprint (digest of user and key) --> annotation of the Store --> informer of every replica

No process keeps anything about an existing store that the Store object does not hold, so every replica answers a
repeated request in the same way, and a restart loses nothing. A store that was deleted is remembered by each process
that saw the deletion, for KEPT_SECONDS and at most KEPT_DELETED keys; a restart of all replicas at once loses that.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple

from reconciler.store.object import StoreObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.cache.informer import Informer
    from reconciler.kube.resources import Object

REQUEST_ANNOTATION = "stores.urumi.ai/request"
KEPT_SECONDS = 24 * 3600.0
KEPT_DELETED = 10_000
_KEYED = "key-"


class CreatedStore(NamedTuple):
    """The store that a request created."""

    store_id: str
    engine: str


class IdempotencyKeys:
    """The stores that requests with a key created, by the fingerprint of the request."""

    def __init__(self, stores: Informer, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._existing: dict[str, CreatedStore] = {}
        self._deleted: dict[str, tuple[float, CreatedStore]] = {}
        self._monotonic = monotonic
        stores.on_change(self._update)

    def existing(self, fingerprint: str) -> CreatedStore | None:
        """Return the store that a request created, if this replica knows it."""
        return self._existing.get(fingerprint)

    def deleted(self, fingerprint: str) -> CreatedStore | None:
        """Return the store that a request created, if it has been deleted since."""
        self._expire()
        entry = self._deleted.get(fingerprint)
        return entry[1] if entry else None

    def _update(self, before: Object | None, after: Object | None) -> None:
        raw = after or before
        if raw is None:
            return
        store = StoreObject(raw)
        fingerprint = fingerprint_of(store)
        if not fingerprint.startswith(_KEYED):
            return
        created = CreatedStore(store.name, store.spec["engine"])
        if after is not None:
            self._existing[fingerprint] = created
        elif self._existing.pop(fingerprint, None) is not None:
            self._deleted[fingerprint] = (self._monotonic(), created)
            self._expire()

    def _expire(self) -> None:
        oldest = self._monotonic() - KEPT_SECONDS
        while self._deleted:
            fingerprint = next(iter(self._deleted))
            if len(self._deleted) <= KEPT_DELETED and self._deleted[fingerprint][0] > oldest:
                return
            del self._deleted[fingerprint]


def new_fingerprint(user: str, key: str) -> str:
    """Return the fingerprint of a request: the same for the same user and key, a random one without a key."""
    if not key:
        return f"once-{secrets.token_hex(8)}"
    return _KEYED + hashlib.sha256(f"{user}\0{key}".encode()).hexdigest()[:32]


def fingerprint_of(store: StoreObject) -> str:
    """Return the fingerprint of the request that created a store, empty if it was not created through this API."""
    return str(store.annotations.get(REQUEST_ANNOTATION, ""))
