"""A store's admin account, read for a person: `POST /stores/{id}/credentials`.

    Store (read anew, uid held against the caller's) -> Secret store-<id>/store-admin -> audit line -> answer

A POST, though nothing is changed: it is asked for with a purpose, never prefetched, cached or replayed, and a browser's
cookie counts only from the page's own origin. Nothing of it is kept here. The Secret has to carry the store's label, as
a namespace of that name may be somebody else's. Not guaranteed: that the shop still has this password; whoever
changes it in the shop's own admin does so without us.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from reconciler.engines.registry import ENGINES
from reconciler.kube.resources import SECRETS, STORES, Object, is_deleting, labels_of, uid_of
from reconciler.store.desired import ADMIN_SECRET, admin_email
from reconciler.store.object import StoreObject, status_of
from server.auth.audit_log import note
from server.http.problems import ProblemError
from server.http.request import json_body
from urumi.store import STORE_ID_LABEL, Engine, check_store_id, namespace_name
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
        wanted_uid = await _wanted_uid(request)
        credentials = await self._read(store_id, wanted_uid)
        note(request, outcome="read")
        return JSONResponse(dump(credentials), headers={"Cache-Control": "no-store"})

    async def _read(self, store_id: str, wanted_uid: str) -> Credentials:
        store = await self._kube.get(STORES, store_id, self._settings.platform_namespace)
        if store is None:
            hint = "GET /stores lists those there are."
            raise ProblemError("not-found", f"There is no store {store_id!r}.", hint=hint)
        if wanted_uid not in ("", uid_of(store)):
            detail = f"Store {store_id} is another store by now: the one you saw is gone and the name is used again."
            raise ProblemError("conflict", detail, hint="Look at the list again before asking for its admin account.")
        if is_deleting(store):
            raise ProblemError("conflict", f"Store {store_id} is being deleted, and its admin account with it.")
        secret = await self._kube.get(SECRETS, ADMIN_SECRET, namespace_name(store_id))
        return self._credentials(store, store_id, secret)

    def _credentials(self, store: Object, store_id: str, secret: Object | None) -> Credentials:
        held = (secret or {}).get("data") or {}
        is_its_own = secret is not None and labels_of(secret).get(STORE_ID_LABEL) == store_id
        if not is_its_own or not {"username", "password"} <= held.keys():
            where = f"Secret {ADMIN_SECRET} of namespace {namespace_name(store_id)}"
            why = "is not there" if secret is None else "is not what Urumi made for this store"
            raise ProblemError(
                "conflict",
                f"Store {store_id} is {StoreObject(store).phase} and has no admin account: {where} {why}.",
                hint="It is made once, before the shop is installed; the store's timeline says where that stands.",
            )
        spec = store["spec"]
        by_email = ENGINES[Engine(spec["engine"])].signs_in_by_email
        return Credentials(
            store_id=store_id,
            username=admin_email(self._settings, spec) if by_email else _text(held["username"]),
            password=_text(held["password"]),
            admin_url=str(status_of(store).get("adminUrl", "")),
        )


async def _wanted_uid(request: Request) -> str:
    """Return the uid that the body names, empty where there is no body or no uid in it."""
    body = await json_body(request, is_optional=True)
    uid = body.pop("uid", "")
    if body or not isinstance(uid, str):
        example = '{"uid": "5b1c..."}'
        raise ProblemError("invalid-request", f"Expected no body or one such as {example}.")
    return uid


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode(errors="replace")
