"""The reconciler's view of the cluster: one informer per kind, and the store that each object belongs to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.cache.informer import Informer
from reconciler.helm.labels import RELEASE_SELECTOR
from reconciler.helm.release import ReleaseState, newest_revision
from reconciler.kube.reachability import REPORTED_AFTER_SECONDS
from reconciler.kube.resources import (
    CLAIMS,
    DEPLOYMENTS,
    INGRESSES,
    LIMIT_RANGES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    QUOTAS,
    SECRETS,
    SERVICES,
    STATEFUL_SETS,
    STORES,
    Object,
    annotations_of,
    is_deleting,
    name_of,
    namespace_of,
)
from reconciler.store.health import Observed, slim_claim, slim_workload
from reconciler.store.inventory import Owned, object_name, owned, slim_owned
from reconciler.store.isolation import QUOTA_NAME, slim_quota
from reconciler.store.object import StoreObject, slim_store
from reconciler.store.pods import slim_pod
from urumi.store import MANAGED_LABEL, namespace_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.kube.client import Kube

KWOK_NODE_ANNOTATION = "kwok.x-k8s.io/node"
STORE_NAMESPACE_PREFIX = namespace_name("")


class ClusterView:
    """The informers of the platform; only the informers themselves change what they hold."""

    def __init__(self, kube: Kube, platform_namespace: str) -> None:
        managed = f"{MANAGED_LABEL}=true"
        self.stores = Informer(kube, STORES, namespace=platform_namespace, slim=slim_store)
        self.namespaces = Informer(kube, NAMESPACES, selector=managed, metadata_only=True, slim=slim_owned)
        self.releases = Informer(kube, SECRETS, selector=RELEASE_SELECTOR, metadata_only=True)
        self.nodes = Informer(kube, NODES, metadata_only=True)
        self.deployments = Informer(kube, DEPLOYMENTS, selector=managed, slim=slim_workload)
        self.stateful_sets = Informer(kube, STATEFUL_SETS, selector=managed, slim=slim_workload)
        self.pods = Informer(kube, PODS, selector=managed, slim=slim_pod)
        self.claims = Informer(kube, CLAIMS, selector=managed, slim=slim_claim)
        self.quotas = Informer(kube, QUOTAS, selector=managed, slim=slim_quota)
        self.kept = (
            self.quotas,
            *(
                Informer(kube, resource, selector=managed, metadata_only=True, slim=slim_owned)
                for resource in (SERVICES, INGRESSES, SECRETS, LIMIT_RANGES, NETWORK_POLICIES)
            ),
        )
        self._outage = kube.outage
        self._platform_namespace = platform_namespace

    @property
    def informers(self) -> tuple[Informer, ...]:
        """Return all informers."""
        return (
            self.stores,
            self.namespaces,
            self.releases,
            self.nodes,
            self.deployments,
            self.stateful_sets,
            self.pods,
            self.claims,
            *self.kept,
        )

    async def synced(self) -> None:
        """Wait until every informer has listed once."""
        for informer in self.informers:
            await informer.synced.wait()

    def seconds_since_last_response(self) -> float:
        """Return the time since the last response of the informer that has waited longest."""
        return max(informer.seconds_since_last_response() for informer in self.informers)

    def trouble(self) -> str:
        """Return why the view of the stores may be outdated, empty if nothing indicates it."""
        error = self.stores.last_error
        if not error or self.stores.disconnected_seconds() < REPORTED_AFTER_SECONDS:
            return self._outage.message()
        return self._outage.message() or f"The stores cannot be watched: {error}"

    def store(self, store_id: str) -> StoreObject | None:
        """Return the store of an id, None if there is none."""
        raw = self.stores.get(store_id, self._platform_namespace)
        return None if raw is None else StoreObject(raw)

    def all_stores(self) -> list[StoreObject]:
        """Return all stores, in no particular order."""
        return [StoreObject(raw) for raw in self.stores.items.values()]

    def release(self, store_id: str, name: str) -> ReleaseState | None:
        """Return the newest revision of a store's release, None if there is none."""
        return newest_revision(self.releases.in_namespace(namespace_name(store_id)), name)

    def observed(self, store_id: str) -> Observed:
        """Return the workloads, pods and claims of a store."""
        namespace = namespace_name(store_id)
        return Observed(
            workloads={
                DEPLOYMENTS: self.deployments.in_namespace(namespace),
                STATEFUL_SETS: self.stateful_sets.in_namespace(namespace),
            },
            pods=self.pods.in_namespace(namespace),
            claims=self.claims.in_namespace(namespace),
        )

    def owned(self, store_id: str) -> dict[str, Owned]:
        """Return the objects of a store that its inventory lists, by their names in it."""
        namespace = namespace_name(store_id)
        found = {}
        for informer in (self.deployments, self.stateful_sets, self.claims, *self.kept):
            for item in informer.in_namespace(namespace).values():
                found[object_name(informer.resource.kind, item)] = owned(item)
        home = self.namespaces.get(namespace)
        if home is not None:
            found[object_name(NAMESPACES.kind, home)] = owned(home)
        return found

    async def wait_for_quota(self, store_id: str, seconds: float) -> bool:
        """Wait until the quota of a store is enforced; return False if it is not after so many seconds."""

        def is_in_force() -> bool:
            quota = self.quotas.get(QUOTA_NAME, namespace_name(store_id))
            return quota is not None and bool(quota["in_force"])

        try:
            async with asyncio.timeout(seconds):
                await self.quotas.until(is_in_force)
        except TimeoutError:
            return False
        return True

    def is_simulated(self) -> bool:
        """Return whether kwok simulates every node of the cluster, so that no container runs."""
        nodes = self.nodes.items.values()
        return bool(nodes) and all(KWOK_NODE_ANNOTATION in annotations_of(node) for node in nodes)

    def wake(self, add: Callable[[str], None]) -> None:
        """Call `add` with the store id of every change that may need a reconcile."""

        def on_store(before: Object | None, after: Object | None) -> None:
            changed = after or before
            if changed is not None and _intent(before) != _intent(after):
                add(name_of(changed))

        def on_part(before: Object | None, after: Object | None) -> None:
            # By the namespace and not by the label, because the label may be removed out of band.
            changed = after or before
            home = (namespace_of(changed) or name_of(changed)) if changed is not None else ""
            if home.startswith(STORE_NAMESPACE_PREFIX):
                add(home.removeprefix(STORE_NAMESPACE_PREFIX))

        def on_kept(before: Object | None, after: Object | None) -> None:
            # The usage in a quota changes with every pod; only the object itself and its owned fields matter.
            if _identity(before) != _identity(after):
                on_part(before, after)

        self.stores.on_change(on_store)
        for informer in (self.releases, self.deployments, self.stateful_sets, self.pods, self.claims):
            informer.on_change(on_part)
        for informer in (self.namespaces, *self.kept):
            informer.on_change(on_kept)


def _intent(store: Object | None) -> tuple[object, ...] | None:
    # Everything but the status, which only the reconciler writes.
    if store is None:
        return None
    meta = store["metadata"]
    return (
        meta["uid"],
        meta.get("generation"),
        meta.get("deletionTimestamp"),
        meta.get("annotations"),
        meta.get("finalizers"),
    )


def _identity(item: Object | None) -> tuple[object, ...] | None:
    return None if item is None else (item["owned"], item["metadata"]["uid"], is_deleting(item))
