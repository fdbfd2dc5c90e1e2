"""The REST calls on stores: reads from the informer's copy, writes to the Kubernetes API.

A read reports the age of its data and works while the cluster is unreachable; a write is answered with 503 then. Lists
are sent in parts of encoded stores, so ten thousand of them are never in memory as one text.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response, StreamingResponse

from reconciler.kube.resources import STORES, Object
from reconciler.store.object import StoreObject
from server.auth.audit_log import note
from server.http.conditional import not_modified, tagged
from server.http.problems import ProblemError
from server.http.request import check_fields, json_body, read_idempotency_key, read_query
from server.stores.admission import Admission
from server.stores.catalog import Catalog, store_etag
from server.stores.idempotency import REQUEST_ANNOTATION, IdempotencyKeys, fingerprint_of, new_fingerprint
from server.stores.listing import Page, page_of
from server.stores.representation import store_view
from urumi.errors import ClusterConflict, ClusterError, ClusterNotFound
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

# Stores per part of a list: about 100 kB, which a socket buffer holds.
PART = 20


class StoreCalls:
    """The endpoints under /stores."""

    def __init__(self, kube: Kube, view: ClusterView, gate: Gate, settings: ServerSettings, namespace: str) -> None:
        self._kube = kube
        self._view = view
        self._gate = gate
        self._namespace = namespace
        self._catalog = Catalog(view.stores)
        self._keys = IdempotencyKeys(view.stores)
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
            body = _OPENING + self._catalog.joined(page.stores) + _closing(page)
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
        events = EventList(store_id=store.store_id, items=store.status.get("events", ()))
        return JSONResponse(dump(events), headers=headers)

    async def create(self, request: Request) -> Response:
        """POST /stores."""
        caller = self._gate.admit(request)
        read_query(request, NoQuery)
        key = read_idempotency_key(request)
        body = await json_body(request)
        # The rules for id and engine come first, because they have messages of their own.
        check_store_id(body.get("storeId"))
        check_engine(body.get("engine"))
        wanted = check_fields(CreateStore, body)
        note(request, store=wanted.store_id)
        self._check_synced()
        fingerprint = new_fingerprint(caller.user, key)
        self._check_key(fingerprint, wanted)
        existing = self._view.store(wanted.store_id)
        if existing is not None:
            return self._existing(request, existing, wanted, fingerprint)
        try:
            await self._admission.admit(caller, wanted.store_id, fingerprint)
        except ProblemError as refusal:
            # The informer may not have the store yet: a request for an existing store is never refused for a limit.
            existing = await self._get(wanted.store_id)
            if existing is None or refusal.name == "key-reused":
                raise
            return self._existing(request, existing, wanted, fingerprint)
        return await self._create(request, caller, wanted, fingerprint)

    async def delete(self, request: Request) -> Response:
        """DELETE /stores/{id}."""
        self._gate.admit(request)
        uid = read_query(request, UidQuery).uid
        store_id = check_store_id(request.path_params["store_id"])
        try:
            existed = await self._kube.delete(STORES, store_id, self._namespace, uid=uid)
        except ClusterConflict as error:
            raise _replaced(request, store_id, uid, "deleting") from error
        note(request, outcome="requested" if existed else "absent")
        if not existed:
            return JSONResponse(dump(Deleted(deleted=False, store_id=store_id, reason="NotFound")))
        return JSONResponse(dump(Deleted(deleted=True, store_id=store_id)), 202)

    async def retry(self, request: Request) -> Response:
        """POST /stores/{id}/retry."""
        self._gate.admit(request)
        uid = read_query(request, UidQuery).uid
        store = self.find(request)
        if store.is_deleting:
            raise ProblemError("conflict", f"Store {store.name} is being deleted; it cannot be retried.")
        meta: Object = {"annotations": {RETRY_ANNOTATION: format_timestamp(timespec="microseconds")}}
        # In a patch the uid is a precondition: the API server refuses it for another object of that name.
        patch = {"metadata": {**meta, "uid": uid} if uid else meta}
        try:
            patched = await self._kube.merge(STORES, store.name, patch, self._namespace)
        except ClusterNotFound as error:
            raise _not_found(store.name) from error
        except ClusterError as error:
            if uid and error.status in (409, 422) and "uid" in error.message:
                raise _replaced(request, store.name, uid, "retrying") from error
            raise
        note(request, outcome="requested")
        return JSONResponse(store_view(StoreObject(patched)), 202)

    async def _create(self, request: Request, caller: Caller, wanted: CreateStore, fingerprint: str) -> Response:
        item = {
            "apiVersion": STORES.api_version,
            "kind": KIND,
            "metadata": {
                "name": wanted.store_id,
                "namespace": self._namespace,
                "finalizers": [FINALIZER],
                "annotations": {REQUEST_ANNOTATION: fingerprint},
            },
            "spec": {
                "storeId": wanted.store_id,
                "engine": wanted.engine.value,
                "requestedBy": {"user": caller.user, "ip": caller.ip, "userAgent": caller.user_agent},
            },
        }
        try:
            created = await self._kube.create(STORES, item, self._namespace)
        except ClusterConflict:
            return await self._lost_race(request, wanted, fingerprint)
        except ClusterError as error:
            if 400 <= error.status < 500:
                await self._admission.release(fingerprint)
            raise
        note(request, outcome="created")
        return _accepted(request, StoreObject(created), is_replay=False)

    def _check_key(self, fingerprint: str, wanted: CreateStore) -> None:
        existing, deleted = self._keys.existing(fingerprint), self._keys.deleted(fingerprint)
        known = existing or deleted
        if known is None:
            return
        if (known.store_id, known.engine) != (wanted.store_id, wanted.engine.value):
            detail = f"This Idempotency-Key created store {known.store_id} with engine {known.engine}."
            raise ProblemError("key-reused", detail, hint="Use a new key for another store.")
        if existing is None:
            detail = f"Store {known.store_id}, which this Idempotency-Key created, has been deleted."
            raise ProblemError("conflict", detail, hint="Use a new key to create it again.")

    def _existing(self, request: Request, store: StoreObject, wanted: CreateStore, fingerprint: str) -> Response:
        """Answer a request for a store that already exists."""
        store_id, engine = wanted.store_id, store.spec["engine"]
        if store.is_deleting:
            note(request, outcome="refused: being deleted")
            raise ProblemError(
                "conflict",
                f"Store {store_id} is being deleted.",
                hint="Try again when it is gone, or choose another storeId.",
            )
        if engine != wanted.engine.value:
            note(request, outcome="refused: other engine")
            raise ProblemError(
                "conflict",
                f"Store {store_id} already exists with engine {engine}; the request has engine {wanted.engine.value}.",
                hint="Choose another storeId, or delete the store first; an engine cannot be changed.",
            )
        note(request, outcome="exists")
        if fingerprint_of(store) == fingerprint:
            return _accepted(request, store, is_replay=True)
        return JSONResponse(store_view(store))

    async def _lost_race(self, request: Request, wanted: CreateStore, fingerprint: str) -> Response:
        """Answer a request whose store was created by another request a moment earlier."""
        existing = await self._get(wanted.store_id)
        # If the same request was faster on another replica, the grant belongs to that store.
        if existing is None or fingerprint_of(existing) != fingerprint:
            await self._admission.release(fingerprint)
        if existing is None:
            raise ProblemError("conflict", f"Store {wanted.store_id} was just deleted.", hint="Try again.")
        return self._existing(request, existing, wanted, fingerprint)

    async def _get(self, store_id: str) -> StoreObject | None:
        raw = await self._kube.get(STORES, store_id, self._namespace)
        return None if raw is None else StoreObject(raw)

    def find(self, request: Request) -> StoreObject:
        """Return the store that the path of a request names.

        Raises:
            ProblemError: there is none, or the stores are not listed yet.
        """
        self._check_synced()
        store_id = request.path_params["store_id"]
        store = self._view.store(store_id)
        if store is None:
            raise _not_found(store_id)
        return store

    def _check_synced(self) -> None:
        stores = self._view.stores
        if not stores.synced.is_set():
            cause = (stores.last_error or "the server has just started").rstrip(".")
            raise ProblemError(
                "cluster-unreachable",
                f"The stores are not listed yet: {cause}.",
                hint="Try again in a few seconds; /readyz shows what is missing.",
                headers={"Retry-After": "2"},
            )

    async def _parts(self, page: Page) -> AsyncIterator[bytes]:
        """Yield a list in parts; its stores and their versions are fixed when the response begins."""
        yield _OPENING
        for start in range(0, len(page.stores), PART):
            yield (b"," if start else b"") + self._catalog.joined(page.stores[start : start + PART])
            # Other tasks run between parts, also if the caller reads faster than the parts are encoded.
            await asyncio.sleep(0)
        yield _closing(page)

    def _age(self) -> dict[str, str]:
        return {"Cluster-Age-Seconds": f"{self._view.stores.seconds_since_last_response():.1f}"}


_OPENING = b'{"items":['


def _closing(page: Page) -> bytes:
    rest = {"remaining": page.remaining} | ({"continue": page.cursor} if page.cursor else {})
    return b"]," + json.dumps(rest)[1:].encode()


def _accepted(request: Request, store: StoreObject, *, is_replay: bool) -> Response:
    root = request.scope.get("root_path", "")
    headers = {"Location": f"{root}/stores/{store.name}"}
    if is_replay:
        headers["Idempotency-Replayed"] = "true"
    return JSONResponse(store_view(store), 202, headers)


def _replaced(request: Request, store_id: str, uid: str, action: str) -> ProblemError:
    note(request, outcome="refused: another store")
    detail = f"Store {store_id} was replaced: the store with uid {uid[:80]} no longer exists."
    return ProblemError("conflict", detail, hint=f"Reload the list before {action} it.")


def _not_found(store_id: str) -> ProblemError:
    detail = f"No store named {store_id[:80]!r}."
    return ProblemError("not-found", detail, hint="List all stores with GET /stores.")
