"""The catalog: every store as encoded JSON, and one digest of all stores.

    Store informer --> digest of uid and resourceVersion, old bytes dropped --> GET encodes what it needs, once

The digest is the sum of one hash per store, updated with each change. So a comparison costs nothing, the digest never
stays the same when a store changes, and it is the same on every replica and after a restart: another replica also
answers `If-None-Match` with 304. Encoded stores are cached up to CACHE_BYTES; a store that does not fit is encoded for
each call, so ten thousand stores cost time and not memory.

Not guaranteed: that the list is as new as the API server's; each response has the age of the data in a header.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from reconciler.store.object import StoreObject
from server.stores.representation import store_view
from urumi import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.cache.informer import Informer
    from reconciler.kube.resources import Object

CACHE_BYTES = 16 * 1024 * 1024
_MODULUS = 1 << 128


class Catalog:
    """Encodes stores, each version at most once while there is room; use from one event loop."""

    def __init__(self, stores: Informer, cache_bytes: int = CACHE_BYTES) -> None:
        self._stores = stores
        self._digest = 0
        self._free_bytes = cache_bytes
        self._encoded: dict[str, bytes] = {}
        self._newest_first: list[StoreObject] | None = None
        stores.on_change(self._update)

    @property
    def etag(self) -> str:
        """Return the strong entity tag of any list of the current stores."""
        return f'"{__version__}-{self._digest:032x}"'

    def newest_first(self) -> list[StoreObject]:
        """Return all stores, newest first; callers must not change the list."""
        if self._newest_first is None:
            stores = [StoreObject(raw) for raw in self._stores.items.values()]
            self._newest_first = sorted(stores, key=creation_order, reverse=True)
        return self._newest_first

    def encoded(self, store: StoreObject) -> bytes:
        """Return the representation of a store as JSON."""
        cached = self._encoded.get(store.resource_version)
        if cached is not None:
            return cached
        encoded = json.dumps(store_view(store), separators=(",", ":")).encode()
        # A store that changed while a list is being sent is encoded for that list and not cached.
        is_current = self._stores.get(store.name, store.platform_namespace) is store.raw
        if is_current and len(encoded) <= self._free_bytes:
            self._encoded[store.resource_version] = encoded
            self._free_bytes -= len(encoded)
        return encoded

    def joined(self, stores: Iterable[StoreObject]) -> bytes:
        """Return stores as the inside of a JSON array."""
        cached = self._encoded
        return b",".join([cached.get(store.resource_version) or self.encoded(store) for store in stores])

    def _update(self, before: Object | None, after: Object | None) -> None:
        self._newest_first = None
        if before is not None:
            store = StoreObject(before)
            self._digest = (self._digest - _hash(store)) % _MODULUS
            self._free_bytes += len(self._encoded.pop(store.resource_version, b""))
        if after is not None:
            self._digest = (self._digest + _hash(StoreObject(after))) % _MODULUS


def store_etag(store: StoreObject) -> str:
    """Return the strong entity tag of one store; a resourceVersion belongs to one object only."""
    return f'"{__version__}-{store.resource_version}"'


def creation_order(store: StoreObject) -> tuple[str, str]:
    """Return the sort key of a store by its creation."""
    return store.created_at, store.name


def _hash(store: StoreObject) -> int:
    version = f"{store.uid} {store.resource_version}".encode()
    return int.from_bytes(hashlib.blake2b(version, digest_size=16).digest(), "big")
