"""A store's admin account, read for a person: `POST /stores/{id}/credentials`.

    Store (read anew, uid held against the caller's) -> Secret store-<id>/store-admin -> audit line -> answer

A POST, though nothing is changed: it is asked for with a purpose, never prefetched, cached or replayed, and a browser's
cookie counts only from the page's own origin. Nothing of it is kept here. The Secret has to carry the store's label, as
a namespace of that name may be somebody else's. Not guaranteed: that the shop still has this password; whoever
changes it in the shop's own admin does so without us.
"""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from reconciler.chart import ADMIN_SECRET
from reconciler.resources import SECRETS, STORES, Object, is_deleting, labels_of, uid_of
from reconciler.storeobject import status_of
from server.problems import ProblemError, request_id
from server.stores import json_body
from server.view import phase_of
from urumi.store import STORE_ID_LABEL, check_store_id, namespace_name
from urumi.wire import Credentials, dump

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.kube import Kube
    from server.identity import Caller, Gate

audit = logging.getLogger("urumi.audit")


class CredentialsCall:
    """The endpoint /stores/{id}/credentials."""

    def __init__(self, kube: Kube, gate: Gate, namespace: str) -> None:
        self._kube = kube
        self._gate = gate
        self._namespace = namespace

    async def read(self, request: Request) -> Response:
        """POST /stores/{id}/credentials."""
        caller = self._gate.admit(request)
        store_id = check_store_id(request.path_params["store_id"])
        wanted_uid = await _wanted_uid(request)
        try:
            credentials = await self._read(store_id, wanted_uid)
        except ProblemError as problem:
            _audit(request, caller, store_id, f"refused: {problem.name}")
            raise
        _audit(request, caller, store_id, "read")
        return JSONResponse(dump(credentials), headers={"Cache-Control": "no-store"})

    async def _read(self, store_id: str, wanted_uid: str) -> Credentials:
        store = await self._kube.get(STORES, store_id, self._namespace)
        if store is None:
            hint = "GET /stores lists those there are."
            raise ProblemError("not-found", f"There is no store {store_id!r}.", hint=hint)
        if wanted_uid not in ("", uid_of(store)):
            detail = f"Store {store_id} is another store by now: the one you saw is gone and the name is used again."
            raise ProblemError("conflict", detail, hint="Look at the list again before asking for its admin account.")
        if is_deleting(store):
            raise ProblemError("conflict", f"Store {store_id} is being deleted, and its admin account with it.")
        secret = await self._kube.get(SECRETS, ADMIN_SECRET, namespace_name(store_id))
        return _credentials(store, store_id, secret)


async def _wanted_uid(request: Request) -> str:
    """Return the uid that the body names, empty where there is no body or no uid in it."""
    body = await json_body(request) if await request.body() else {}
    uid = body.pop("uid", "")
    if body or not isinstance(uid, str):
        example = '{"uid": "5b1c..."}'
        raise ProblemError("invalid-request", f"Expected no body or one such as {example}.")
    return uid


def _credentials(store: Object, store_id: str, secret: Object | None) -> Credentials:
    held = (secret or {}).get("data") or {}
    is_its_own = secret is not None and labels_of(secret).get(STORE_ID_LABEL) == store_id
    if not is_its_own or not {"username", "password"} <= held.keys():
        where = f"Secret {ADMIN_SECRET} of namespace {namespace_name(store_id)}"
        why = "is not there" if secret is None else "is not what Urumi made for this store"
        raise ProblemError(
            "conflict",
            f"Store {store_id} is {phase_of(store)} and has no admin account: {where} {why}.",
            hint="It is made once, before the shop is installed; the store's timeline says where that stands.",
        )
    return Credentials(
        store_id=store_id,
        username=_text(held["username"]),
        password=_text(held["password"]),
        admin_url=str(status_of(store).get("adminUrl", "")),
    )


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode(errors="replace")


def _audit(request: Request, caller: Caller, store_id: str, outcome: str) -> None:
    audit.info(
        "store call",
        extra={
            "action": "credentials",
            "store": store_id,
            "outcome": outcome,
            "user": caller.user,
            "ip": caller.ip,
            "request_id": request_id(request),
        },
    )
