"""The call `POST /stores/{id}/credentials`: returns the administrator account of a store.

    Store (read from the API server, uid compared) -> Secret store-<id>/store-admin -> audit line -> response

It is a POST although it changes nothing, so that it is never prefetched, cached or replayed, and a cookie counts
only if the request comes from the page's own origin. The server keeps no copy of the account.

Not guaranteed: that the shop still accepts the password. Urumi does not see a change that is made in the shop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from reconciler.engines.administrator import read_administrator
from reconciler.engines.registry import ENGINES
from reconciler.kube.resources import STORES, is_deleting, uid_of
from reconciler.store.desired import admin_email
from reconciler.store.object import StoreObject, status_of
from server.auth.audit_log import note
from server.http.problems import ProblemError
from server.http.request import json_body
from urumi.errors import AdministratorNotFound
from urumi.store import Engine, check_store_id
from urumi.wire import Credentials, dump

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.kube.client import Kube
    from reconciler.settings import Settings


class CredentialsCall:
    """The endpoint /stores/{id}/credentials."""

    def __init__(self, kube: Kube, settings: Settings) -> None:
        self._kube = kube
        self._settings = settings

    async def read(self, request: Request) -> Response:
        """POST /stores/{id}/credentials."""
        store_id = check_store_id(request.path_params["store_id"])
        expected_uid = await _expected_uid(request)
        credentials = await self._read(store_id, expected_uid)
        note(request, outcome="read")
        return JSONResponse(dump(credentials), headers={"Cache-Control": "no-store"})

    async def _read(self, store_id: str, expected_uid: str) -> Credentials:
        store = await self._kube.get(STORES, store_id, self._settings.platform_namespace)
        if store is None:
            raise ProblemError("not-found", f"No store named {store_id!r}.", hint="List all stores with GET /stores.")
        if expected_uid not in ("", uid_of(store)):
            detail = f"Store {store_id} was replaced: expected uid {expected_uid[:80]}, got {uid_of(store)}."
            raise ProblemError("conflict", detail, hint="Reload the list before requesting its admin account.")
        if is_deleting(store):
            raise ProblemError("conflict", f"Store {store_id} is being deleted, together with its admin account.")
        spec = store["spec"]
        try:
            administrator = await read_administrator(self._kube, store_id, admin_email(self._settings, spec))
        except AdministratorNotFound as error:
            raise ProblemError(
                "conflict",
                f"Store {store_id} ({StoreObject(store).phase}) has no admin account: {error.message}.",
                hint="Check the timeline of the store: the account is created before the shop is installed.",
            ) from error
        return Credentials(
            store_id=store_id,
            username=ENGINES[Engine(spec["engine"])].login(administrator),
            password=administrator.password,
            admin_url=str(status_of(store).get("adminUrl", "")),
        )


async def _expected_uid(request: Request) -> str:
    """Return the uid in the request body, empty if there is none."""
    body = await json_body(request, is_optional=True)
    uid = body.pop("uid", "")
    if body or not isinstance(uid, str):
        example = '{"uid": "5b1c..."}'
        raise ProblemError("invalid-request", f"Expected no body or one such as {example}.")
    return uid
