"""One look at one store: what should be, what is, and the status being drafted about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.store.desired import DesiredRelease, desired_release
from reconciler.store.status import DRIFTED, RELEASING
from urumi.store import Engine, namespace_name, release_name

if TYPE_CHECKING:
    from reconciler.helm.release import ReleaseState
    from reconciler.kube.resources import Object
    from reconciler.steps.context import Context, Memory
    from reconciler.store.status import StatusDraft


@dataclass(slots=True)
class Attempt:
    """What a reconcile of a living store works on; `in_sync` says whether exactly what should be is released."""

    store: Object
    draft: StatusDraft
    memory: Memory
    desired: DesiredRelease
    state: ReleaseState | None
    in_sync: bool

    @property
    def store_id(self) -> str:
        """Return the store's id."""
        return str(self.store["spec"]["storeId"])

    @property
    def engine(self) -> Engine:
        """Return the store's engine."""
        return Engine(self.store["spec"]["engine"])

    @property
    def namespace(self) -> str:
        """Return the store's namespace."""
        return namespace_name(self.store_id)

    @property
    def release(self) -> str:
        """Return the name of the store's release."""
        return release_name(self.engine, self.store_id)


def look(context: Context, store: Object, draft: StatusDraft) -> Attempt:
    """Return a look at a store.

    Raises:
        ConfigurationError: where there is no chart for it.
    """
    spec = store["spec"]
    desired = desired_release(context.settings, spec)
    state = context.view.release(spec["storeId"], release_name(Engine(spec["engine"]), spec["storeId"]))
    in_sync = context.is_released(store, state, desired.digest) and not _is_to_be_repeated(draft, state)
    return Attempt(store, draft, context.memory(store), desired, state, in_sync)


def _is_to_be_repeated(draft: StatusDraft, state: ReleaseState | None) -> bool:
    """Return whether the same content is to be released again, and Helm has not done so since that was said."""
    known = int((draft.status.get("release") or {}).get("revision", 0))
    return draft.reason("Released") in (DRIFTED, RELEASING) and state is not None and state.revision <= known
