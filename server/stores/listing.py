"""A list of stores: narrowed, put in order, and cut into pages.

A cursor names the last store of its page, by what the list is put in order by, and not a number of stores to skip. So
pages neither repeat nor leave out a store that was there all along, whatever comes and goes between them; a cursor
never expires and is understood by every replica. It is bound to the query that it came from.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import TYPE_CHECKING, NamedTuple

from server.http.problems import ProblemError
from server.stores.catalog import created
from server.stores.representation import phase_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.kube.resources import Object
    from server.stores.catalog import Catalog
    from urumi.wire import ListQuery

    Place = tuple[str, ...]

_ORDERS: dict[str, Callable[[Object], Place]] = {
    "createdAt": created,
    "storeId": lambda store: (store["metadata"]["name"],),
    "phase": lambda store: (phase_of(store), store["metadata"]["name"]),
    "engine": lambda store: (store["spec"]["engine"], store["metadata"]["name"]),
}


class Page(NamedTuple):
    """Some stores, how many come after them, and the cursor that leads there; empty on the last page."""

    stores: list[Object]
    remaining: int
    cursor: str


def page_of(catalog: Catalog, query: ListQuery) -> Page:
    """Return the stores that a query asks for.

    Raises:
        ProblemError: the cursor is not one of this query.
    """
    order, is_falling = _ORDERS[query.sort.lstrip("-")], query.sort.startswith("-")
    after = _place(query) if query.cursor else None
    found = catalog.newest_first()
    if query.phase or query.engine or query.q:
        found = [store for store in found if _matches(store, query)]
    if query.sort != "-createdAt":
        found = sorted(found, key=order, reverse=is_falling)
    if after is not None:
        found = [store for store in found if (order(store) < after if is_falling else order(store) > after)]
    page = found if query.limit is None else found[: query.limit]
    remaining = len(found) - len(page)
    return Page(page, remaining, _cursor(query, order(page[-1])) if remaining else "")


def _matches(store: Object, query: ListQuery) -> bool:
    return (
        (query.phase is None or phase_of(store) == query.phase.value)
        and (query.engine is None or store["spec"]["engine"] == query.engine.value)
        and query.q.lower() in store["metadata"]["name"]
    )


def _cursor(query: ListQuery, place: Place) -> str:
    return urlsafe_b64encode(json.dumps([_fingerprint(query), *place]).encode()).decode().rstrip("=")


def _place(query: ListQuery) -> Place:
    try:
        told = json.loads(urlsafe_b64decode(query.cursor.encode() + b"=" * (-len(query.cursor) % 4)))
        fingerprint, *place = told
        is_sound = len(place) == (1 if query.sort.lstrip("-") == "storeId" else 2)
    except (NotBase64, ValueError, TypeError, RecursionError):
        raise _bad_cursor("continue is not a cursor of this API") from None
    if fingerprint != _fingerprint(query):
        raise _bad_cursor("continue belongs to a list with another phase, engine, q or sort")
    if not is_sound or not all(isinstance(part, str) for part in place):
        raise _bad_cursor("continue is not a cursor of this API")
    return tuple(place)


def _fingerprint(query: ListQuery) -> str:
    told = json.dumps([query.phase, query.engine, query.q.lower(), query.sort])
    return hashlib.blake2b(told.encode(), digest_size=6).hexdigest()


def _bad_cursor(message: str) -> ProblemError:
    return ProblemError(
        "bad-cursor",
        f"{message}.",
        hint="Begin at the first page: leave continue out.",
        errors=[{"parameter": "continue", "message": message}],
    )
