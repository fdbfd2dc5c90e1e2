"""A platform in one process for the tests of steps: the API server double, real informers, and a fake Helm.

Everything except Helm's process is the product's. The fake deploys what Helm would: the Secret of the release and the
workloads of the engine, written by the field manager `helm`. Nothing makes the workloads ready unless a test does.
"""

import asyncio
import base64
import dataclasses
import gzip
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from reconciler.engines.registry import ENGINES
from reconciler.helm.labels import DIGEST_KEY
from reconciler.kube.event_recorder import Recorder
from reconciler.kube.resources import (
    DEPLOYMENTS,
    NODES,
    QUOTAS,
    SECRETS,
    SERVICES,
    STATEFUL_SETS,
    STORES,
    Object,
    Resource,
)
from reconciler.leaderelection.elector import LeaderTerm
from reconciler.leaderelection.watchdog import Watchdog
from reconciler.queue.limiter import ConcurrencyLimiter
from reconciler.queue.workqueue import WorkQueue
from reconciler.reconcile.context import Context
from reconciler.reconcile.storefront_checks import StorefrontChecks
from reconciler.settings import Settings
from reconciler.steps.delete import delete
from reconciler.steps.provision import provision
from reconciler.store.draft import StatusDraft
from reconciler.store.object import StoreObject
from reconciler.view import KWOK_NODE_ANNOTATION, ClusterView
from testing.apiserver.server import ApiServer
from urumi.store import FINALIZER, STORE_ID_LABEL, store_labels

PLATFORM = "store-platform"
STORE_ID = "shop-a"
NAMESPACE = f"store-{STORE_ID}"
RELEASE = f"woocommerce-{STORE_ID}"
SETTINGS = Settings(platform_namespace=PLATFORM)


class Term(LeaderTerm):
    """A leader term whose validity the test decides."""

    def __init__(self, fencing_token: int = 2) -> None:
        super().__init__(fencing_token, deadline_seconds=10.0, kill_seconds=12.0, watchdog=Watchdog())
        self.valid = True

    def is_valid(self) -> bool:
        """Return whether this process may act."""
        return self.valid


class Queue(WorkQueue):
    """A work queue that records which delays were requested."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: dict[str, list[float]] = {}

    def add_later(self, key: str, seconds: float) -> None:
        """Record the delay and queue the key."""
        self.delays.setdefault(key, []).append(seconds)
        super().add_later(key, seconds)


class FakeHelm:
    """Deploys a release as Helm would, or raises the next of `errors`; `gate` holds every run until it is set."""

    def __init__(self, kube: ApiServer) -> None:
        self.installs: list[str] = []
        self.uninstalls: list[str] = []
        self.errors: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._kube = kube.as_manager("helm")

    async def install(self, release: str, namespace: str, chart: Path, values: Object, labels: dict[str, str]) -> int:
        """Replace `Helm.install`."""
        self.installs.append(release)
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        revision = await self.write_revision(release, namespace, "deployed", **labels)
        engine = next(each for engine, each in ENGINES.items() if engine.value == release.split("-", 1)[0])
        meta = {
            "labels": store_labels(labels[STORE_ID_LABEL]),
            "annotations": {DIGEST_KEY: values["store"]["digest"]},
        }
        for resource, name in engine.workloads:
            item = {"metadata": {"name": name, **meta}, "spec": {"replicas": 1}}
            await self._kube.apply(resource, item, namespace=namespace)
            service = {"metadata": {"name": name, **meta}, "spec": {"selector": {"app": name}}}
            await self._kube.apply(SERVICES, service, namespace=namespace)
        return revision

    async def uninstall(self, release: str, namespace: str) -> bool:
        """Replace `Helm.uninstall`."""
        self.uninstalls.append(release)
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        for secret in await self._revisions(release, namespace):
            await self._kube.delete(SECRETS, secret["metadata"]["name"], namespace)
        return True

    async def write_revision(self, release: str, namespace: str, status: str, **labels: str) -> int:
        """Write the Secret of a new revision and return its number."""
        known = await self._revisions(release, namespace)
        for secret in known:
            patch = {"metadata": {"labels": {"status": "superseded"}}}
            await self._kube.merge(SECRETS, secret["metadata"]["name"], patch, namespace)
        revision = len(known) + 1
        written = {"owner": "helm", "name": release, "status": status, "version": str(revision)}
        meta = {
            "name": f"sh.helm.release.v1.{release}.v{revision}",
            "labels": {"modifiedAt": str(int(time.time())), **labels, **written},
        }
        record = gzip.compress(json.dumps({"info": {"status": status}}).encode())
        data = {"release": base64.b64encode(base64.b64encode(record)).decode()}
        await self._kube.create(SECRETS, {"metadata": meta, "data": data}, namespace)
        return revision

    async def _revisions(self, release: str, namespace: str) -> list[Object]:
        query = {"labelSelector": f"owner=helm,name={release}"}
        return list((await self._kube.list_page(SECRETS, namespace, query, metadata_only=True))["items"])


class ObservedStatus:
    """The status of a store after a reconcile."""

    def __init__(self, status: Object) -> None:
        self.status = status
        self.phase = str(status.get("phase", ""))
        self.error: Object = status.get("lastError") or {}
        self.progress: Object = status.get("progress") or {}

    def condition(self, kind: str) -> tuple[str, str]:
        """Return status and reason of a condition."""
        found = next(each for each in self.status["conditions"] if each["type"] == kind)
        return found["status"], found["reason"]

    def message(self, kind: str) -> str:
        """Return the message of a condition."""
        return str(next(each for each in self.status["conditions"] if each["type"] == kind)["message"])

    @property
    def events(self) -> list[str]:
        """Return the types of the timeline's events."""
        return [event["type"] for event in self.status.get("events") or ()]

    def event(self, kind: str) -> Object:
        """Return the last event of a type."""
        return dict([event for event in self.status["events"] if event["type"] == kind][-1])


class Harness:
    """One platform; `start` it in an event loop and `close` it."""

    def __init__(self, **settings: Any) -> None:
        self.settings = dataclasses.replace(SETTINGS, **settings)
        self.kube = ApiServer(PLATFORM)
        self.others = self.kube.as_manager("kubectl-edit")
        self.controllers = self.kube.as_manager("kube-controller-manager")
        self.helm = FakeHelm(self.kube)
        self.term = Term()
        self.queue = Queue()
        self.limiter = ConcurrencyLimiter(self.settings.max_concurrent_provisions, self.queue.add)
        self.view = ClusterView(self.kube, PLATFORM)
        self.counts_quotas = True
        self._tasks: set[asyncio.Task[Any]] = set()
        self.new_term()

    def new_term(self, fencing_token: int = 2) -> None:
        """Start a leader term without state of the previous one."""
        self.term = Term(fencing_token)
        recorder = Recorder(self.kube, self.term.is_valid)
        checks = StorefrontChecks(self.queue.add)
        self.context = Context(
            self.kube,
            self.view,
            self.settings,
            self.term,
            self.queue,
            self.limiter,
            recorder,
            checks,
        )

    async def start(self) -> None:
        """Start the informers, and the controller that counts quotas; the nodes are simulated."""
        node = {"metadata": {"name": "node-1", "annotations": {KWOK_NODE_ANNOTATION: "fake"}}}
        await self.others.create(NODES, node)
        for informer in self.view.informers:
            self.spawn(informer.run())
        await self.view.synced()
        self.view.quotas.on_change(self._count_quota)

    async def stop_informers(self) -> None:
        """Stop the informers and all other tasks: the view then changes only with the reconciler's own writes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Cancel everything that runs."""
        await self.stop_informers()
        await self.context.storefront_checks.close()

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        """Run a coroutine until the end of the test."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        return task

    async def create_store(self, engine: str = "woocommerce", **spec: Any) -> None:
        """Create the Store."""
        meta = {"name": STORE_ID, "namespace": PLATFORM, "finalizers": [FINALIZER]}
        await self.others.create(
            STORES, {"metadata": meta, "spec": {"storeId": STORE_ID, "engine": engine, **spec}}, PLATFORM
        )

    async def edit_store(self, **patch: Any) -> None:
        """Merge-patch the Store."""
        await self.others.merge(STORES, STORE_ID, patch, PLATFORM)

    async def settle(self) -> None:
        """Wait until every informer shows what the API server holds."""
        await asyncio.sleep(0)
        page = await self.others.list_page(NODES, "", {}, metadata_only=True)
        version = int(page["metadata"]["resourceVersion"])
        async with asyncio.timeout(10):
            for informer in self.view.informers:
                caught_up = self.spawn(informer.wait_for_version(version))
                while not caught_up.done():
                    self.kube.send_bookmarks()
                    await asyncio.sleep(0)

    async def store(self) -> StoreObject:
        """Return the Store as the informer shows it."""
        await self.settle()
        store = self.view.store(STORE_ID)
        assert store is not None
        return store

    async def reconcile(self) -> ObservedStatus:
        """Reconcile the store once, as a leader loop does, and return its status."""
        store = await self.store()
        draft = StatusDraft(store, max_events=self.settings.max_status_events)
        await (delete if store.is_deleting else provision)(self.context, store, draft)
        return await self.seen()

    async def reconcile_until_helm_runs(self, runs: int = 1) -> asyncio.Task[ObservedStatus]:
        """Start a reconcile and return it once Helm was started `runs` times in total; close Helm's gate before."""
        reconcile = self.spawn(self.reconcile())
        while len(self.helm.installs) < runs:
            assert not reconcile.done(), reconcile.result()
            await self.settle()
        return reconcile

    async def seen(self) -> ObservedStatus:
        """Return the status of the store as the API server holds it."""
        found = await self.others.get(STORES, STORE_ID, PLATFORM)
        return ObservedStatus((found or {}).get("status") or {})

    async def make_ready(self) -> None:
        """Make every workload ready, as its controller would."""
        for resource in (DEPLOYMENTS, STATEFUL_SETS):
            for item in await self.list(resource):
                status = {
                    "observedGeneration": item["metadata"]["generation"],
                    "replicas": 1,
                    "updatedReplicas": 1,
                    "readyReplicas": 1,
                    "currentRevision": "r1",
                    "updateRevision": "r1",
                }
                await self.controllers.replace_status(resource, item, status)

    async def make_unready(self, resource: Resource, name: str) -> None:
        """Remove the pods of a workload."""
        item = await self.others.get(resource, name, NAMESPACE)
        assert item is not None
        await self.controllers.replace_status(resource, item, {**item["status"], "readyReplicas": 0})

    async def ready_store(self) -> ObservedStatus:
        """Create the store and return it Ready."""
        await self.create_store()
        await self.reconcile()
        await self.make_ready()
        seen = await self.reconcile()
        assert seen.phase == "Ready", seen.status
        return seen

    async def list(self, resource: Resource) -> list[Object]:
        """Return all objects of a kind in the namespace of the store."""
        return list((await self.others.list_page(resource, NAMESPACE, {}, metadata_only=False))["items"])

    def writes(self) -> Counter[str]:
        """Return how often the reconciler called each writing method."""
        return Counter(method for method, *_ in self.kube.calls if method not in ("get", "list_page", "watch"))

    def _count_quota(self, before: Object | None, after: Object | None) -> None:
        if after is not None and not after["in_force"] and self.counts_quotas:
            self.spawn(self._write_quota_status(after["metadata"]["name"], after["metadata"]["namespace"]))

    async def _write_quota_status(self, name: str, namespace: str) -> None:
        item = await self.controllers.get(QUOTAS, name, namespace)
        if item is not None:
            await self.controllers.replace_status(QUOTAS, item, {"hard": item["spec"]["hard"]})
