"""The REST calls on stores: reads from the informer's copy, writes to the Kubernetes API.

A read says how long ago the cluster was last heard, and goes on while it is away; a write is answered 503 then. Lists
are sent in parts of stores that are encoded already, so ten thousand of them are never in memory as one text.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response, StreamingResponse

from reconciler.kube.resources import STORES, Object, is_deleting
from server.auth.audit_log import note
from server.http.conditional import not_modified, tagged
from server.http.problems import ProblemError
from server.http.request import check_fields, json_body, read_key, read_query
from server.stores.admission import Admission
from server.stores.catalog import Catalog, store_etag
from server.stores.idempotency import REQUEST_ANNOTATION, Keys, mark_of, new_mark
from server.stores.listing import Page, page_of
from server.stores.representation import store_view
from urumi.errors import ClusterError
from urumi.store import FINALIZER, KIND, RETRY_ANNOTATION, check_engine, check_store_id
from urumi.timestamps import format_timestamp
from urumi.wire import CreateStore, Deleted, EventList, ListQuery, NoQuery, UidQuery, dump

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from reconciler.kube.client import Kube
    from reconciler.view import ClusterView
    from server.auth.identity import Caller, Gate
    from server.settings import ServerSettings

# About 100 kB, what a socket takes at once.
PART = 20


class StoreCalls:
    """The endpoints under /stores."""

    def __init__(self, kube: Kube, view: ClusterView, gate: Gate, settings: ServerSettings, namespace: str) -> None:
        self._kube = kube
        self._view = view
        self._gate = gate
        self._settings = settings
        self._namespace = namespace
        self._catalog = Catalog(view.stores)
        self._keys = Keys(view.stores)
        self._admission = Admission(kube, view.stores, settings, namespace)

    async def list(self, request: Request) -> Response:
        """GET /stores."""
        self._gate.admit(request)
        query = read_query(request, ListQuery)
        self._check_synced()
        unchanged = not_modified(request, self._catalog.etag, self._age())
        if unchanged:
            return unchanged
        headers = tagged(self._catalog.etag, self._age())
        page = page_of(self._catalog, query)
        if len(page.stores) <= PART:
            body = _opening() + self._catalog.joined(page.stores) + _closing(page)
            return Response(body, headers=headers, media_type="application/json")
        return StreamingResponse(self._parts(page), headers=headers, media_type="application/json")

    async def get(self, request: Request) -> Response:
        """GET /stores/{id}."""
        self._gate.admit(request)
        read_query(request, NoQuery)
        store = self.find(request)
        headers = tagged(store_etag(store), self._age())
        unchanged = not_modified(request, headers["ETag"], self._age())
        return unchanged or Response(self._catalog.encoded(store), headers=headers, media_type="application/json")

    async def events(self, request: Request) -> Response:
        """GET /stores/{id}/events."""
        self._gate.admit(request)
        read_query(request, NoQuery)
        store = self.find(request)
        headers = tagged(store_etag(store), self._age())
        unchanged = not_modified(request, headers["ETag"], self._age())
        if unchanged:
            return unchanged
        view = store_view(store)
        return JSONResponse(dump(EventList(store_id=view["storeId"], items=view.get("events", ()))), headers=headers)

    async def create(self, request: Request) -> Response:
        """POST /stores."""
        caller = self._gate.admit(request)
        read_query(request, NoQuery)
        key = read_key(request)
        wanted = await _wanted_store(request)
        note(request, store=wanted.store_id)
        self._check_synced()
        mark = new_mark(caller.user, key)
        self._check_key(mark, wanted)
        known = self._view.stores.get(wanted.store_id, self._namespace)
        if known is not None:
            return self._known(request, caller, known, wanted, mark)
        try:
            await self._admission.admit(caller, wanted.store_id, mark)
        except ProblemError as refusal:
            # It may be there and only not here yet: asking again is never refused for a limit.
            known = await self._kube.get(STORES, wanted.store_id, self._namespace)
            if known is None or refusal.name == "key-reused":
                self._audit(request, caller, "create", wanted.store_id, f"refused: {refusal.name}")
                raise
            return self._known(request, caller, known, wanted, mark)
        return await self._make(request, caller, wanted, mark)

    async def delete(self, request: Request) -> Response:
        """DELETE /stores/{id}."""
        caller = self._gate.admit(request)
        uid = read_query(request, UidQuery).uid
        store_id = check_store_id(request.path_params["store_id"])
        try:
            existed = await self._kube.delete(STORES, store_id, self._namespace, uid=uid)
        except ClusterError as error:
            if error.status != 409:
                raise
            self._audit(request, caller, "delete", store_id, "refused: another store")
            raise _another(store_id, "deleting") from error
        self._audit(request, caller, "delete", store_id, "requested" if existed else "absent")
        if not existed:
            return JSONResponse(dump(Deleted(deleted=False, store_id=store_id, reason="NotFound")))
        return JSONResponse(dump(Deleted(deleted=True, store_id=store_id)), 202)

    async def retry(self, request: Request) -> Response:
        """POST /stores/{id}/retry."""
        caller = self._gate.admit(request)
        uid = read_query(request, UidQuery).uid
        store = self.find(request)
        store_id = store["metadata"]["name"]
        if is_deleting(store):
            raise ProblemError("conflict", f"Store {store_id} is being deleted; there is nothing to retry.")
        meta: Object = {"annotations": {RETRY_ANNOTATION: format_timestamp(timespec="microseconds")}}
        # In a patch the uid is a precondition: the API server refuses it for another object of that name.
        patch = {"metadata": {**meta, "uid": uid} if uid else meta}
        try:
            patched = await self._kube.merge(STORES, store_id, patch, self._namespace)
        except ClusterError as error:
            if error.status == 404:
                raise _not_found(store_id) from error
            if uid and error.status in (409, 422) and "uid" in error.message:
                self._audit(request, caller, "retry", store_id, "refused: another store")
                raise _another(store_id, "retrying") from error
            raise
        self._audit(request, caller, "retry", store_id, "requested")
        return JSONResponse(store_view(patched), 202)

    async def _make(self, request: Request, caller: Caller, wanted: CreateStore, mark: str) -> Response:
        try:
            made = await self._kube.create(STORES, self._object(wanted, caller, mark), self._namespace)
        except ClusterError as error:
            if error.status == 409:
                return await self._lost_race(request, caller, wanted, mark)
            if 400 <= error.status < 500:
                await self._admission.take_back(mark)
            raise
        self._audit(request, caller, "create", wanted.store_id, "created")
        return _asked_for(made, is_replay=False)

    def _check_key(self, mark: str, wanted: CreateStore) -> None:
        made = self._keys.made(mark) or self._keys.gone(mark)
        if made is not None and (made.store_id, made.engine) != (wanted.store_id, wanted.engine.value):
            detail = f"This Idempotency-Key made store {made.store_id} with engine {made.engine}."
            raise ProblemError("key-reused", detail, hint="Use a new key for another store.")
        if self._keys.made(mark) is None and made is not None:
            detail = f"Store {made.store_id}, which this Idempotency-Key made, was deleted since."
            raise ProblemError("conflict", detail, hint="Use a new key to make it anew.")

    def _known(self, request: Request, caller: Caller, known: Object, wanted: CreateStore, mark: str) -> Response:
        store_id, engine = wanted.store_id, known["spec"]["engine"]
        if is_deleting(known):
            self._audit(request, caller, "create", store_id, "refused: being deleted")
            raise ProblemError(
                "conflict",
                f"Store {store_id} is being deleted.",
                hint="Ask again when it is gone, or choose another storeId.",
            )
        if engine != wanted.engine.value:
            self._audit(request, caller, "create", store_id, "refused: other engine")
            raise ProblemError(
                "conflict",
                f"Store {store_id} exists with engine {engine}, asked for was {wanted.engine.value}.",
                hint="Delete it first, or choose another storeId; an engine cannot be changed.",
            )
        self._audit(request, caller, "create", store_id, "exists")
        if mark_of(known) == mark:
            return _asked_for(known, is_replay=True)
        return JSONResponse(store_view(known))

    async def _lost_race(self, request: Request, caller: Caller, wanted: CreateStore, mark: str) -> Response:
        known = await self._kube.get(STORES, wanted.store_id, self._namespace)
        # Where the same request was faster elsewhere, the grant is that store's.
        if known is None or mark_of(known) != mark:
            await self._admission.take_back(mark)
        if known is None:
            raise ProblemError("conflict", f"Store {wanted.store_id} was just deleted.", hint="Ask again.")
        return self._known(request, caller, known, wanted, mark)

    def _object(self, wanted: CreateStore, caller: Caller, mark: str) -> Object:
        return {
            "apiVersion": STORES.api_version,
            "kind": KIND,
            "metadata": {
                "name": wanted.store_id,
                "namespace": self._namespace,
                "finalizers": [FINALIZER],
                "annotations": {REQUEST_ANNOTATION: mark},
            },
            "spec": {
                "storeId": wanted.store_id,
                "engine": wanted.engine.value,
                "requestedBy": {"user": caller.user, "ip": caller.ip, "userAgent": caller.user_agent},
            },
        }

    def find(self, request: Request) -> Object:
        """Return the store that a request's path names.

        Raises:
            ProblemError: there is none, or the stores are not known yet.
        """
        self._check_synced()
        store_id = request.path_params["store_id"]
        store = self._view.stores.get(store_id, self._namespace)
        if store is None:
            raise _not_found(store_id)
        return store

    def _check_synced(self) -> None:
        stores = self._view.stores
        if not stores.synced.is_set():
            why = stores.last_error or "the server has just started"
            raise ProblemError(
                "cluster-unreachable",
                f"The stores are not known yet: {why}",
                hint="Try again in a moment; /readyz says what is missing.",
                headers={"Retry-After": "2"},
            )

    async def _parts(self, page: Page) -> AsyncIterator[bytes]:
        """Yield a list in parts; what is in it was settled when the answer began."""
        yield _opening()
        for start in range(0, len(page.stores), PART):
            yield (b"," if start else b"") + self._catalog.joined(page.stores[start : start + PART])
            # Others have their turn between parts, also where the caller takes them faster than they are made.
            await asyncio.sleep(0)
        yield _closing(page)

    def _age(self) -> dict[str, str]:
        return {"Cluster-Age-Seconds": f"{self._view.stores.seconds_since_last_response():.1f}"}

    def _audit(self, request: Request, caller: Caller, action: str, store_id: str, outcome: str) -> None:
        note(request, action=action, store=store_id, outcome=outcome, user=caller.user)


def _opening() -> bytes:
    return b'{"items":['


def _closing(page: Page) -> bytes:
    rest = {"remaining": page.remaining} | ({"continue": page.cursor} if page.cursor else {})
    return b"]," + json.dumps(rest)[1:].encode()


def _asked_for(store: Object, *, is_replay: bool) -> Response:
    headers = {"Location": f"/stores/{store['metadata']['name']}"}
    if is_replay:
        headers["Idempotency-Replayed"] = "true"
    return JSONResponse(store_view(store), 202, headers)


def _another(store_id: str, doing: str) -> ProblemError:
    detail = f"Store {store_id} is another store by now: the one you saw is gone and the name is used again."
    return ProblemError("conflict", detail, hint=f"Look at the list again before {doing} it.")


def _not_found(store_id: str) -> ProblemError:
    return ProblemError("not-found", f"There is no store {store_id[:80]!r}.", hint="GET /stores lists those there are.")


async def _wanted_store(request: Request) -> CreateStore:
    body = await json_body(request)
    # First the two rules that have words of their own.
    check_store_id(body.get("storeId"))
    check_engine(body.get("engine"))
    return check_fields(CreateStore, body)
