"""The REST calls on stores: reads from the informer's copy, writes to the Kubernetes API."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from reconciler.resources import STORES, Object, is_deleting
from server.audit import note
from server.problems import ProblemError
from server.view import phase_of, store_view
from urumi.errors import ClusterError
from urumi.store import FINALIZER, KIND, RETRY_ANNOTATION, Engine, check_engine, check_store_id
from urumi.wire import CreateStore, Deleted, EventList, dump

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.cluster import ClusterView
    from reconciler.kube import Kube
    from server.identity import Caller, Gate
    from server.settings import ServerSettings


class StoreCalls:
    """The endpoints under /stores."""

    def __init__(self, kube: Kube, view: ClusterView, gate: Gate, settings: ServerSettings, namespace: str) -> None:
        self._kube = kube
        self._view = view
        self._gate = gate
        self._settings = settings
        self._namespace = namespace
        # Asked for and not yet seen in the informer's copy; they count against the limits all the same.
        self._on_their_way: set[str] = set()
        view.stores.on_change(self._arrived)

    async def list(self, request: Request) -> Response:
        """GET /stores."""
        self._gate.admit(request)
        self._check_synced()
        wanted = {name: request.query_params.get(name, "") for name in ("phase", "engine", "q")}
        found = [store for store in self._view.stores.items.values() if _matches(store, wanted)]
        found.sort(key=lambda store: (store["metadata"]["creationTimestamp"], store["metadata"]["name"]), reverse=True)
        age = round(self._view.stores.silence_seconds(), 1)
        return JSONResponse({"items": [store_view(store) for store in found], "ageSeconds": age})

    async def get(self, request: Request) -> Response:
        """GET /stores/{id}."""
        self._gate.admit(request)
        return JSONResponse(store_view(self.find(request)))

    async def events(self, request: Request) -> Response:
        """GET /stores/{id}/events."""
        self._gate.admit(request)
        view = store_view(self.find(request))
        return JSONResponse(dump(EventList(store_id=view["storeId"], items=view.get("events", ()))))

    async def create(self, request: Request) -> Response:
        """POST /stores."""
        caller = self._gate.admit(request)
        wanted = await _wanted_store(request)
        note(request, store=wanted.store_id)
        self._check_synced()
        known = self._view.store(wanted.store_id)
        if known is not None:
            return self._known(request, caller, known, wanted)
        self._check_quota()
        self._on_their_way.add(wanted.store_id)
        try:
            made = await self._kube.create(STORES, self._object(wanted, caller), self._namespace)
        except ClusterError as error:
            self._on_their_way.discard(wanted.store_id)
            if error.status != 409:
                raise
            return await self._lost_race(request, caller, wanted)
        self._audit(request, caller, "create", wanted.store_id, "created")
        headers = {"Location": f"/stores/{wanted.store_id}"}
        return JSONResponse(store_view(made), 202, headers)

    async def delete(self, request: Request) -> Response:
        """DELETE /stores/{id}."""
        caller = self._gate.admit(request)
        store_id = check_store_id(request.path_params["store_id"])
        try:
            existed = await self._kube.delete(
                STORES, store_id, self._namespace, uid=request.query_params.get("uid", "")
            )
        except ClusterError as error:
            if error.status != 409:
                raise
            detail = f"Store {store_id} is another store by now: the one you saw is gone and the name is used again."
            raise ProblemError("conflict", detail, hint="Look at the list again before deleting it.") from error
        self._audit(request, caller, "delete", store_id, "requested" if existed else "absent")
        if not existed:
            return JSONResponse(dump(Deleted(deleted=False, store_id=store_id, reason="NotFound")))
        return JSONResponse(dump(Deleted(deleted=True, store_id=store_id)), 202)

    async def retry(self, request: Request) -> Response:
        """POST /stores/{id}/retry."""
        caller = self._gate.admit(request)
        store = self.find(request)
        store_id = store["metadata"]["name"]
        if is_deleting(store):
            raise ProblemError("conflict", f"Store {store_id} is being deleted; there is nothing to retry.")
        patch = {"metadata": {"annotations": {RETRY_ANNOTATION: datetime.now(UTC).isoformat()}}}
        try:
            patched = await self._kube.merge(STORES, store_id, patch, self._namespace)
        except ClusterError as error:
            if error.status == 404:
                raise _not_found(store_id) from error
            raise
        self._audit(request, caller, "retry", store_id, "requested")
        return JSONResponse(store_view(patched), 202)

    def _known(self, request: Request, caller: Caller, known: Object, wanted: CreateStore) -> Response:
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
        return JSONResponse(store_view(known))

    async def _lost_race(self, request: Request, caller: Caller, wanted: CreateStore) -> Response:
        known = await self._kube.get(STORES, wanted.store_id, self._namespace)
        if known is None:
            raise ProblemError("conflict", f"Store {wanted.store_id} was just deleted.", hint="Ask again.")
        return self._known(request, caller, known, wanted)

    def _check_quota(self) -> None:
        limit, count = self._settings.max_active_stores, len(self._view.stores.items) + len(self._on_their_way)
        if count >= limit:
            raise ProblemError(
                "quota-exceeded",
                f"{count} of {limit} stores exist.",
                hint="Delete a store, or raise MAX_ACTIVE_STORES.",
            )

    def _arrived(self, before: Object | None, after: Object | None) -> None:
        changed = after or before
        if changed is not None:
            self._on_their_way.discard(changed["metadata"]["name"])

    def _object(self, wanted: CreateStore, caller: Caller) -> Object:
        return {
            "apiVersion": STORES.api_version,
            "kind": KIND,
            "metadata": {"name": wanted.store_id, "namespace": self._namespace, "finalizers": [FINALIZER]},
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
        store = self._view.store(store_id)
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

    def _audit(self, request: Request, caller: Caller, action: str, store_id: str, outcome: str) -> None:
        note(request, action=action, store=store_id, outcome=outcome, user=caller.user)


def _matches(store: Object, wanted: dict[str, str]) -> bool:
    return (
        wanted["phase"] in ("", phase_of(store))
        and wanted["engine"] in ("", store["spec"]["engine"])
        and wanted["q"].lower() in store["metadata"]["name"]
    )


def _not_found(store_id: str) -> ProblemError:
    return ProblemError("not-found", f"There is no store {store_id[:80]!r}.", hint="GET /stores lists those there are.")


async def _wanted_store(request: Request) -> CreateStore:
    body = await json_body(request)
    store_id, engine = body.get("storeId"), body.get("engine")
    check_store_id(store_id)
    check_engine(engine)
    try:
        return CreateStore.model_validate(body)
    except ValidationError as error:
        errors = [{"pointer": "/" + "/".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        fields = ", ".join(each["pointer"] for each in errors)
        raise ProblemError(
            "invalid-request", f"The body has fields that are not of a store: {fields}.", errors=errors
        ) from error


async def json_body(request: Request) -> dict[str, Any]:
    """Return the body as a JSON object.

    Raises:
        ProblemError: another media type, not JSON, or not an object.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemError("unsupported-media-type", f"Expected application/json, got {media_type or 'none'!r}.")
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise ProblemError("malformed", f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        example = json.dumps({"storeId": "shop-1", "engine": Engine.WOOCOMMERCE.value})
        raise ProblemError("invalid-request", f"Expected an object such as {example}, got {type(body).__name__}.")
    return body
