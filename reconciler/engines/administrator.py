"""Reads the administrator account of a store from its Secret."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from reconciler.engines.engine import Administrator
from reconciler.kube.resources import SECRETS, labels_of
from urumi.errors import AdministratorNotFound
from urumi.store import STORE_ID_LABEL, namespace_name

if TYPE_CHECKING:
    from reconciler.kube.client import Kube

ADMIN_SECRET = "store-admin"  # noqa: S105 - the name of a Secret


async def read_administrator(kube: Kube, store_id: str, email: str) -> Administrator:
    """Return the administrator account of a store; the Secret does not hold the e-mail address.

    Raises:
        AdministratorNotFound: the Secret does not exist, does not belong to the store, or lacks a key.
        ClusterError: the Secret cannot be read.
    """
    name = f"Secret {namespace_name(store_id)}/{ADMIN_SECRET}"
    secret = await kube.get(SECRETS, ADMIN_SECRET, namespace_name(store_id))
    if secret is None:
        raise AdministratorNotFound(f"{name} not found")
    # A namespace of this name may belong to somebody else, with a Secret of the same name in it.
    if labels_of(secret).get(STORE_ID_LABEL) != store_id:
        raise AdministratorNotFound(f"{name} is not managed by Urumi: no label {STORE_ID_LABEL}={store_id}")
    data = secret.get("data") or {}
    missing = [key for key in ("username", "password") if key not in data]
    if missing:
        raise AdministratorNotFound(f"{name} is incomplete: no key {' and '.join(missing)}")
    username, password = (base64.b64decode(data[key]).decode(errors="replace") for key in ("username", "password"))
    return Administrator(username, email, password)
