"""The namespace step: create the namespace of a store, and refuse one that belongs to something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kube.resources import NAMESPACES, Object, annotations_of, is_deleting, labels_of
from reconciler.store.isolation import STORE_UID_ANNOTATION, namespace_object
from urumi.errors import BlockedError, ClusterConflict, TransientError
from urumi.store import STORE_ID_LABEL

if TYPE_CHECKING:
    from reconciler.kube.client import Kube
    from reconciler.store.object import StoreObject


async def ensure_namespace(kube: Kube, store: StoreObject) -> list[Object]:
    """Create the namespace of a store, or update the labels of an existing one; return it for the inventory.

    Raises:
        BlockedError: a namespace of that name exists and does not belong to the store; it is not changed.
        TransientError: the namespace is terminating, or another client created it at the same time.
    """
    wanted = namespace_object(store.store_id, store.uid)
    known = await kube.get(NAMESPACES, store.namespace)
    if known is None:
        try:
            # Created and not applied: a namespace that another client creates at this moment must not be adopted.
            return [await kube.create(NAMESPACES, wanted)]
        except ClusterConflict as error:
            raise TransientError(
                f"namespace {store.namespace} was created by another client at the same time",
                step="namespace",
                reason="NamespaceRace",
            ) from error
    if not belongs_to(known, store):
        raise BlockedError(
            f"namespace {store.namespace} exists and does not belong to this store: "
            f"expected the label {STORE_ID_LABEL}={store.store_id}",
            step="namespace",
            reason="NamespaceNotOurs",
            hint=f"Remove the namespace {store.namespace} and retry, or choose another storeId.",
        )
    if is_deleting(known):
        raise namespace_terminating(store)
    return [await kube.apply(NAMESPACES, wanted)]


def belongs_to(namespace: Object, store: StoreObject) -> bool:
    """Return whether a namespace belongs to a store, by its label or by the uid that it was created with."""
    has_label = labels_of(namespace).get(STORE_ID_LABEL) == store.store_id
    return has_label or annotations_of(namespace).get(STORE_UID_ANNOTATION) == store.uid


def namespace_terminating(store: StoreObject) -> TransientError:
    """Return the error of a store whose namespace is being deleted."""
    return TransientError(
        f"namespace {store.namespace} is terminating; it will be recreated once it is gone",
        step="namespace",
        reason="NamespaceTerminating",
        hint=f"If it does not disappear, `kubectl describe namespace {store.namespace}` shows what is blocking it.",
    )
