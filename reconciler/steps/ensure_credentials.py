"""The credentials step: the Secrets of a store, whose values are generated once and never changed afterwards."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from reconciler.engines.administrator import ADMIN_SECRET
from reconciler.engines.registry import ENGINES
from reconciler.engines.secret_values import new_password
from reconciler.kube.resources import SECRETS, Object
from reconciler.store.desired import STORE_SECRETS
from urumi.errors import BlockedError
from urumi.store import store_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.kube.client import Kube
    from reconciler.store.object import StoreObject


async def ensure_credentials(kube: Kube, store: StoreObject, *, is_released: bool) -> list[Object]:
    """Apply the Secrets of a store with a value for every key that has none yet; return them for the inventory.

    Raises:
        BlockedError: a Secret of a released store is missing; new passwords would make its data unreadable.
    """
    admin: Mapping[str, Callable[[], str]] = {
        "username": lambda: "admin",
        "password": new_password,
        "storeId": lambda: store.store_id,
    }
    applied = []
    for name, makers in ((ADMIN_SECRET, admin), (STORE_SECRETS, ENGINES[store.engine].generated_secrets)):
        known = await kube.get(SECRETS, name, store.namespace)
        if known is None and is_released:
            raise BlockedError(
                f"Secret {store.namespace}/{name} is missing: without its passwords the shop cannot read its data",
                step="credentials",
                reason="SecretLost",
                hint="Restore the Secret from a backup of the cluster and retry, or delete the store.",
            )
        data = dict((known or {}).get("data") or {})
        for key, make in makers.items():
            if key not in data:
                data[key] = base64.b64encode(make().encode()).decode()
        labels = {**store_labels(store.store_id), "app.kubernetes.io/part-of": "urumi"}
        secret: Object = {"metadata": {"name": name, "labels": labels}, "data": data}
        applied.append(await kube.apply(SECRETS, secret, namespace=store.namespace))
    return applied
