"""The catalog: every store as bytes ready to send, and one digest of all of them.

    Store informer --> digest (of uid and resourceVersion), bytes forgotten --> GET encodes what it needs, once

The digest is the sum of one hash a store, kept up to date by each change. So it costs nothing to compare, never says
"unchanged" of something that changed, and is the same on every replica and after a restart: whoever asks another
replica with `If-None-Match` is still answered 304. Bytes are kept up to KEPT_BYTES; what does not fit is encoded anew
each time, so ten thousand stores cost time and not memory.

Not guaranteed: that the picture is as new as the API server's; how old it can be is said with every answer.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from server.stores.representation import store_view
from urumi import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.cache.informer import Informer
    from reconciler.kube.resources import Object

KEPT_BYTES = 16 * 1024 * 1024
_MODULUS = 1 << 128


class Catalog:
    """Encodes stores, each version of one at most once as long as there is room; use from one event loop."""

    def __init__(self, stores: Informer, kept_bytes: int = KEPT_BYTES) -> None:
        self._stores = stores
        self._digest = 0
        self._room = kept_bytes
        self._encoded: dict[str, bytes] = {}
        self._newest_first: list[Object] | None = None
        stores.on_change(self._take)

    @property
    def etag(self) -> str:
        """Return the strong entity tag of any list of the stores as they are now."""
        return f'"{__version__}-{self._digest:032x}"'

    def newest_first(self) -> list[Object]:
        """Return all stores, newest first; the list is not to be changed."""
        if self._newest_first is None:
            self._newest_first = sorted(self._stores.items.values(), key=created, reverse=True)
        return self._newest_first

    def encoded(self, store: Object) -> bytes:
        """Return a store as callers see it, as JSON."""
        version = _version(store)
        kept = self._encoded.get(version)
        if kept is not None:
            return kept
        encoded = json.dumps(store_view(store), separators=(",", ":")).encode()
        # A store that was changed while a list was being sent is encoded once more for it, and not kept.
        if len(encoded) <= self._room and self._is_current(store):
            self._encoded[version] = encoded
            self._room -= len(encoded)
        return encoded

    def joined(self, stores: Iterable[Object]) -> bytes:
        """Return stores as the inside of a JSON array."""
        return b",".join([self.encoded(store) for store in stores])

    def _take(self, before: Object | None, after: Object | None) -> None:
        self._newest_first = None
        if before is not None:
            self._digest = (self._digest - _hash(before)) % _MODULUS
            self._room += len(self._encoded.pop(_version(before), b""))
        if after is not None:
            self._digest = (self._digest + _hash(after)) % _MODULUS

    def _is_current(self, store: Object) -> bool:
        meta = store["metadata"]
        return self._stores.get(meta["name"], meta.get("namespace", "")) is store


def store_etag(store: Object) -> str:
    """Return the strong entity tag of one store; etcd gives a version to one object only."""
    return f'"{__version__}-{store["metadata"]["resourceVersion"]}"'


def created(store: Object) -> tuple[str, str]:
    """Return what stores are put in order of their creation by."""
    return store["metadata"]["creationTimestamp"], store["metadata"]["name"]


def _version(store: Object) -> str:
    return str(store["metadata"]["resourceVersion"])


def _hash(store: Object) -> int:
    told = f"{store['metadata']['uid']} {_version(store)}".encode()
    return int.from_bytes(hashlib.blake2b(told, digest_size=16).digest(), "big")
