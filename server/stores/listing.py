"""Lists of stores: filtered, sorted and cut into pages.

A cursor holds the sort key of the last store of its page instead of an offset. So pages neither repeat nor skip a store
that exists the whole time, whatever is created and deleted meanwhile; a cursor never expires and every replica accepts
it. It belongs to the query that it came from.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import TYPE_CHECKING, NamedTuple

from server.http.problems import ProblemError
from server.stores.catalog import creation_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.store.object import StoreObject
    from server.stores.catalog import Catalog
    from urumi.wire import ListQuery

    SortKey = tuple[str, ...]

_SORT_KEYS: dict[str, Callable[[StoreObject], SortKey]] = {
    "createdAt": creation_order,
    "storeId": lambda store: (store.name,),
    "phase": lambda store: (store.phase, store.name),
    "engine": lambda store: (store.spec["engine"], store.name),
}


class Page(NamedTuple):
    """Some stores, the number of stores after them, and the cursor of the next page; empty on the last page."""

    stores: list[StoreObject]
    remaining: int
    cursor: str


def page_of(catalog: Catalog, query: ListQuery) -> Page:
    """Return the page of stores for a query.

    Raises:
        ProblemError: the cursor does not belong to this query.
    """
    key, is_descending = _SORT_KEYS[query.sort.lstrip("-")], query.sort.startswith("-")
    last = _decode_cursor(query) if query.cursor else None
    found = catalog.newest_first()
    if query.phase or query.engine or query.q:
        found = [store for store in found if _matches(store, query)]
    if query.sort != "-createdAt":
        found = sorted(found, key=key, reverse=is_descending)
    if last is not None:
        found = [store for store in found if (key(store) < last if is_descending else key(store) > last)]
    page = found if query.limit is None else found[: query.limit]
    remaining = len(found) - len(page)
    cursor = [_fingerprint(query), *key(page[-1])] if remaining else []
    return Page(page, remaining, urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=") if cursor else "")


def _matches(store: StoreObject, query: ListQuery) -> bool:
    return (
        (query.phase is None or store.phase == query.phase.value)
        and (query.engine is None or store.spec["engine"] == query.engine.value)
        and query.q.lower() in store.name
    )


def _decode_cursor(query: ListQuery) -> SortKey:
    try:
        fingerprint, *key = json.loads(urlsafe_b64decode(query.cursor.encode() + b"=" * (-len(query.cursor) % 4)))
        is_valid = len(key) == (1 if query.sort.lstrip("-") == "storeId" else 2)
    except (NotBase64, ValueError, TypeError, RecursionError):
        raise _bad_cursor("continue is not a cursor of this API") from None
    if fingerprint != _fingerprint(query):
        raise _bad_cursor("continue belongs to a list with another phase, engine, q or sort")
    if not is_valid or not all(isinstance(part, str) for part in key):
        raise _bad_cursor("continue is not a cursor of this API")
    return tuple(key)


def _fingerprint(query: ListQuery) -> str:
    parameters = json.dumps([query.phase, query.engine, query.q.lower(), query.sort])
    return hashlib.blake2b(parameters.encode(), digest_size=6).hexdigest()


def _bad_cursor(message: str) -> ProblemError:
    return ProblemError(
        "bad-cursor",
        f"{message}.",
        hint="Start at the first page: omit continue.",
        errors=[{"parameter": "continue", "message": message}],
    )
