"""The first three steps of a provision: namespace, guardrails, credentials. Each is idempotent and knows no status."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from reconciler.chart import ADMIN_SECRET, STORE_SECRETS
from reconciler.engines import ENGINES, new_password
from reconciler.guardrails import guardrail_objects, namespace_object
from reconciler.resources import NAMESPACES, SECRETS, Object, is_deleting, labels_of, uid_of
from urumi.errors import BlockedError, ClusterError, TransientError
from urumi.store import STORE_ID_LABEL, Engine, namespace_name, store_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.kube import Kube
    from reconciler.settings import Settings


def is_ours(namespace: Object, store_id: str) -> bool:
    """Return whether a namespace belongs to the store, by its label."""
    return labels_of(namespace).get(STORE_ID_LABEL) == store_id


async def ensure_namespace(kube: Kube, store: Object) -> None:
    """Make the store's namespace, or bring the labels of ours up to date.

    Raises:
        BlockedError: there is a namespace of that name that is not the store's; it is left alone.
        TransientError: the namespace of a store of that name is still being deleted.
    """
    store_id = store["spec"]["storeId"]
    name = namespace_name(store_id)
    known = await kube.get(NAMESPACES, name)
    if known is None:
        await _create_namespace(kube, store_id, uid_of(store))
    elif not is_ours(known, store_id):
        raise BlockedError(
            f"namespace {name} exists and is not this store's (no label {STORE_ID_LABEL}={store_id}); it is left alone",
            step="namespace",
            reason="NamespaceNotOurs",
            hint=f"Delete or rename what uses {name}, then retry, or choose another storeId.",
        )
    elif is_deleting(known):
        raise TransientError(
            f"namespace {name} of an earlier store is still being deleted",
            step="namespace",
            reason="NamespaceTerminating",
        )
    else:
        await kube.apply(NAMESPACES, namespace_object(store_id, uid_of(store)))


async def _create_namespace(kube: Kube, store_id: str, store_uid: str) -> None:
    try:
        await kube.create(NAMESPACES, namespace_object(store_id, store_uid))
    except ClusterError as error:
        if error.status != 409:
            raise
        raise TransientError(
            f"namespace {namespace_name(store_id)} appeared just now", step="namespace", reason="NamespaceRace"
        ) from error


async def ensure_guardrails(kube: Kube, settings: Settings, store_id: str) -> None:
    """Apply quota, limits and network policies."""
    for resource, item in guardrail_objects(settings, store_id):
        await kube.apply(resource, item, namespace=namespace_name(store_id))


async def ensure_credentials(kube: Kube, store_id: str, engine: Engine) -> None:
    """Make the store's Secrets; what they hold once is kept for ever."""
    makers: dict[str, Callable[[], str]] = {
        "username": lambda: "admin",
        "password": new_password,
        "storeId": lambda: store_id,
    }
    await _ensure_secret(kube, store_id, ADMIN_SECRET, makers)
    await _ensure_secret(kube, store_id, STORE_SECRETS, ENGINES[engine].secret_makers)


async def _ensure_secret(kube: Kube, store_id: str, name: str, makers: dict[str, Callable[[], str]]) -> None:
    namespace = namespace_name(store_id)
    known = await kube.get(SECRETS, name, namespace)
    held = (known or {}).get("data") or {}
    made = {key: base64.b64encode(make().encode()).decode() for key, make in makers.items() if key not in held}
    if known is None:
        labels = {**store_labels(store_id), "app.kubernetes.io/part-of": "urumi"}
        await kube.create(SECRETS, {"metadata": {"name": name, "labels": labels}, "data": made}, namespace)
    elif made:
        await kube.merge(SECRETS, name, {"data": made}, namespace)
