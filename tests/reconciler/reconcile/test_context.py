"""Writing a status: only changes, only as the leader, only over the version that was read."""

import pytest

from reconciler.kube.resources import STORES
from reconciler.reconcile.context import Requeue
from reconciler.store.draft import StatusDraft
from tests.reconciler.harness import PLATFORM, STORE_ID, Harness
from urumi.errors import ClusterConflict, ClusterError, ClusterNotFound

pytestmark = pytest.mark.anyio


async def changed_draft(harness: Harness) -> StatusDraft:
    """Return a draft of a new store with a change."""
    await harness.create_store()
    draft = StatusDraft(await harness.store(), max_events=20)
    draft.start_provision("woocommerce store shop-a requested", "d1", 600)
    return draft


async def test_a_write_reaches_the_api_server_and_the_informer_immediately(harness: Harness) -> None:
    draft = await changed_draft(harness)
    await harness.context.write(draft)
    assert (await harness.seen()).phase == "Provisioning"
    shown = harness.view.store(STORE_ID)
    assert shown is not None
    assert shown.phase == "Provisioning"
    assert shown.status["epoch"] == harness.term.fencing_token


async def test_an_unchanged_draft_is_not_written_again(harness: Harness) -> None:
    draft = await changed_draft(harness)
    await harness.context.write(draft)
    harness.kube.calls.clear()
    await harness.context.write(draft)
    assert harness.kube.calls == []


async def test_a_process_that_is_not_the_leader_writes_nothing(harness: Harness) -> None:
    draft = await changed_draft(harness)
    harness.term.valid = False
    with pytest.raises(Requeue):
        await harness.context.write(draft)
    assert (await harness.seen()).status == {}


async def test_an_edit_meanwhile_is_never_overwritten_and_the_informer_shows_it(harness: Harness) -> None:
    draft = await changed_draft(harness)

    async def edit() -> None:
        await harness.edit_store(spec={"values": {"store": {"title": "New"}}})

    await harness.stop_informers()
    harness.kube.before("replace_status", STORES, edit)
    with pytest.raises(Requeue):
        await harness.context.write(draft)
    shown = harness.view.store(STORE_ID)
    assert shown is not None
    assert shown.values == {"store": {"title": "New"}}


@pytest.mark.parametrize("error", [ClusterNotFound("gone"), ClusterError("another uid", status=422)])
async def test_a_store_that_is_gone_or_replaced_meanwhile_is_no_error(harness: Harness, error: ClusterError) -> None:
    draft = await changed_draft(harness)
    harness.kube.fail("replace_status", STORES, error)
    await harness.context.write(draft)


async def test_a_store_that_is_gone_after_a_conflict_is_requeued(harness: Harness) -> None:
    draft = await changed_draft(harness)

    async def delete() -> None:
        await harness.edit_store(metadata={"finalizers": None})
        await harness.others.delete(STORES, STORE_ID, PLATFORM)

    harness.kube.fail("replace_status", STORES, ClusterConflict("modified"))
    harness.kube.before("get", STORES, delete)
    with pytest.raises(Requeue):
        await harness.context.write(draft)


async def test_other_errors_are_raised(harness: Harness) -> None:
    draft = await changed_draft(harness)
    harness.kube.fail("replace_status", STORES, ClusterError("boom", status=500))
    with pytest.raises(ClusterError, match="boom"):
        await harness.context.write(draft)


async def test_the_events_of_a_draft_are_recorded_with_its_write_and_only_once(harness: Harness) -> None:
    draft = await changed_draft(harness)
    recorded: list[str] = []

    class Recorder:
        """Records the types of events."""

        def record(self, store: object, event: dict[str, str]) -> None:
            """Record one."""
            recorded.append(event["type"])

        def forget(self, uid: str) -> None:
            """Forget nothing."""

    object.__setattr__(harness.context, "recorder", Recorder())
    harness.kube.fail("replace_status", STORES, ClusterError("boom", status=500))
    with pytest.raises(ClusterError):
        await harness.context.write(draft)
    assert recorded == []
    await harness.context.write(draft)
    draft.set_progress("namespace", "namespace store-shop-a")
    await harness.context.write(draft)
    assert recorded == ["ProvisioningStarted"]
