"""The first three steps of a provision: namespace, guardrails, credentials.

Each is idempotent, knows no status, and returns the objects as the API server answered, for the inventory.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from reconciler.engines.administrator import ADMIN_SECRET
from reconciler.engines.registry import ENGINES
from reconciler.engines.secret_values import new_password
from reconciler.kube.resources import NAMESPACES, SECRETS, Object, annotations_of, is_deleting, labels_of, uid_of
from reconciler.store.desired import STORE_SECRETS
from reconciler.store.isolation import STORE_UID_ANNOTATION, isolation_objects, namespace_object
from urumi.errors import BlockedError, ClusterError, TransientError
from urumi.store import STORE_ID_LABEL, Engine, namespace_name, store_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.kube.client import Kube
    from reconciler.settings import Settings

SECRET_LOST_HINT = "Restore it from a backup of the cluster, then retry; or delete the store, whose data needs it."  # noqa: S105


def is_ours(namespace: Object, store: Object) -> bool:
    """Return whether a namespace is the store's: by its label, or by the uid that it was made with."""
    by_label = labels_of(namespace).get(STORE_ID_LABEL) == store["spec"]["storeId"]
    return by_label or annotations_of(namespace).get(STORE_UID_ANNOTATION) == uid_of(store)


async def ensure_namespace(kube: Kube, store: Object) -> list[Object]:
    """Make the store's namespace, or bring the labels of ours up to date.

    Raises:
        BlockedError: there is a namespace of that name that is not the store's; it is left alone.
        TransientError: the namespace of a store of that name is still being deleted.
    """
    store_id = store["spec"]["storeId"]
    name = namespace_name(store_id)
    known = await kube.get(NAMESPACES, name)
    if known is None:
        return [await _create_namespace(kube, store_id, uid_of(store))]
    if not is_ours(known, store):
        raise BlockedError(
            f"namespace {name} exists and is not this store's (no label {STORE_ID_LABEL}={store_id}); it is left alone",
            step="namespace",
            reason="NamespaceNotOurs",
            hint=f"Delete or rename what uses {name}, then retry, or choose another storeId.",
        )
    if is_deleting(known):
        raise namespace_terminating(store_id)
    return [await kube.apply(NAMESPACES, namespace_object(store_id, uid_of(store)))]


def namespace_terminating(store_id: str) -> TransientError:
    """Return the error of a store whose namespace is on its way out."""
    return TransientError(
        f"namespace {namespace_name(store_id)} is being deleted; it is made anew when it is gone",
        step="namespace",
        reason="NamespaceTerminating",
        hint="Where it does not go: kubectl describe namespace says what holds it up.",
    )


async def _create_namespace(kube: Kube, store_id: str, store_uid: str) -> Object:
    # Created, not applied: should somebody else make one of that name just now, it must not become ours.
    try:
        return await kube.create(NAMESPACES, namespace_object(store_id, store_uid))
    except ClusterError as error:
        if error.status != 409:
            raise
        raise TransientError(
            f"namespace {namespace_name(store_id)} appeared just now", step="namespace", reason="NamespaceRace"
        ) from error


async def ensure_isolation(kube: Kube, settings: Settings, store_id: str) -> list[Object]:
    """Apply quota, limits and network policies."""
    namespace = namespace_name(store_id)
    return [
        await kube.apply(resource, item, namespace=namespace)
        for resource, item in isolation_objects(settings, store_id)
    ]


async def ensure_credentials(kube: Kube, store_id: str, engine: Engine, *, is_released: bool) -> list[Object]:
    """Make the store's Secrets; what they hold once is kept for ever.

    Raises:
        BlockedError: a Secret of a released store is gone; new passwords would lock the shop out of its own data.
    """
    makers: dict[str, Callable[[], str]] = {
        "username": lambda: "admin",
        "password": new_password,
        "storeId": lambda: store_id,
    }
    wanted = ((ADMIN_SECRET, makers), (STORE_SECRETS, ENGINES[engine].generated_secrets))
    return [await _ensure_secret(kube, store_id, name, each, may_make=not is_released) for name, each in wanted]


async def _ensure_secret(
    kube: Kube, store_id: str, name: str, makers: Mapping[str, Callable[[], str]], *, may_make: bool
) -> Object:
    namespace = namespace_name(store_id)
    known = await kube.get(SECRETS, name, namespace)
    if known is None and not may_make:
        raise BlockedError(
            f"Secret {name} of namespace {namespace} is gone, and the shop's data is locked with what was in it",
            step="credentials",
            reason="SecretLost",
            hint=SECRET_LOST_HINT,
        )
    held = (known or {}).get("data") or {}
    made = {key: base64.b64encode(make().encode()).decode() for key, make in makers.items() if key not in held}
    labels = {**store_labels(store_id), "app.kubernetes.io/part-of": "urumi"}
    secret = {"metadata": {"name": name, "labels": labels}, "data": {**held, **made}}
    return await kube.apply(SECRETS, secret, namespace=namespace)
