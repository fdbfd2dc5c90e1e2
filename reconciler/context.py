"""What a reconcile works with, and the one way in which it writes a store's status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.chart import store_host
from reconciler.engines import ENGINES
from reconciler.resources import STORES, Object, uid_of
from urumi.errors import ClusterError
from urumi.store import Engine, namespace_name, release_name

if TYPE_CHECKING:
    from reconciler.cluster import ClusterView
    from reconciler.helm import Helm
    from reconciler.kube import Kube
    from reconciler.release import ReleaseState
    from reconciler.settings import Settings
    from reconciler.slots import Slots
    from reconciler.status import StatusDraft
    from reconciler.workqueue import WorkQueue


@dataclass(frozen=True, slots=True)
class Context:
    """The cluster, the queue and the slots; `founded` and `released` only bridge the lag of the informers."""

    kube: Kube
    view: ClusterView
    settings: Settings
    helm: Helm
    queue: WorkQueue
    slots: Slots
    founded: set[str] = field(default_factory=set)
    released: dict[str, tuple[int, str]] = field(default_factory=dict)

    async def write(self, draft: StatusDraft) -> None:
        """Write the draft where it says something new; a store that is gone meanwhile is nobody's loss."""
        status = draft.finished()
        if status is None:
            return
        try:
            written = await self.kube.replace_status(STORES, draft.store, status)
        except ClusterError as error:
            if error.status in (404, 422):
                return
            raise
        self.view.stores.remember(written)
        draft.store = written

    def is_released(self, store: Object, state: ReleaseState | None, digest: str) -> bool:
        """Return whether exactly this content is released, our own last install included."""
        revision, installed = self.released.get(uid_of(store), (0, ""))
        if state is None or state.revision < revision:
            return revision > 0 and installed == digest
        return state.is_deployed(digest)

    def addresses(self, store: Object) -> Object:
        """Return where a store is: its namespace, its release, its URLs."""
        spec = store["spec"]
        engine = Engine(spec["engine"])
        url = f"{self.settings.scheme}://{store_host(self.settings, spec)}"
        return {
            "url": url,
            "adminUrl": url + ENGINES[engine].admin_path,
            "namespace": namespace_name(spec["storeId"]),
            "releaseName": release_name(engine, spec["storeId"]),
        }

    def forget(self, uid: str) -> None:
        """Forget what was done for a store in this life of the process."""
        self.founded.discard(uid)
        self.released.pop(uid, None)
