"""Writing a status: only news, only as the leader, only over the version that was read."""

import pytest

from reconciler.kube.resources import STORES
from reconciler.reconcile.context import Requeue
from reconciler.store.draft import StatusDraft
from tests.reconciler.harness import PLATFORM, STORE_ID, Scene
from urumi.errors import ClusterError

pytestmark = pytest.mark.anyio


async def draft_with_news(scene: Scene) -> StatusDraft:
    """Return a draft of a new store that says something."""
    await scene.create_store()
    draft = StatusDraft(await scene.store(), max_events=20)
    draft.start_provision("woocommerce store shop-a requested", "d1", 600)
    return draft


async def test_a_write_reaches_the_api_server_and_the_informer_at_once(scene: Scene) -> None:
    draft = await draft_with_news(scene)
    await scene.context.write(draft)
    assert (await scene.seen()).phase == "Provisioning"
    shown = scene.view.store(STORE_ID)
    assert shown is not None
    assert shown.phase == "Provisioning"
    assert shown.status["epoch"] == scene.term.fencing_token


async def test_a_draft_without_news_is_not_written_again(scene: Scene) -> None:
    draft = await draft_with_news(scene)
    await scene.context.write(draft)
    scene.kube.calls.clear()
    await scene.context.write(draft)
    assert scene.kube.calls == []


async def test_a_process_that_is_not_the_leader_writes_nothing(scene: Scene) -> None:
    draft = await draft_with_news(scene)
    scene.term.valid = False
    with pytest.raises(Requeue):
        await scene.context.write(draft)
    assert (await scene.seen()).status == {}


async def test_an_edit_meanwhile_is_never_overwritten_and_the_informer_shows_it(scene: Scene) -> None:
    draft = await draft_with_news(scene)

    async def edit() -> None:
        await scene.edit_store(spec={"values": {"store": {"title": "New"}}})

    await scene.stop_informers()
    scene.kube.before("replace_status", STORES, edit)
    with pytest.raises(Requeue):
        await scene.context.write(draft)
    shown = scene.view.store(STORE_ID)
    assert shown is not None
    assert shown.values == {"store": {"title": "New"}}


@pytest.mark.parametrize("status", [404, 422])
async def test_a_store_that_is_gone_or_replaced_meanwhile_is_no_error(scene: Scene, status: int) -> None:
    draft = await draft_with_news(scene)
    scene.kube.fail("replace_status", STORES, ClusterError("gone", status=status))
    await scene.context.write(draft)


async def test_a_store_that_is_gone_after_a_conflict_is_requeued(scene: Scene) -> None:
    draft = await draft_with_news(scene)

    async def vanish() -> None:
        await scene.edit_store(metadata={"finalizers": None})
        await scene.others.delete(STORES, STORE_ID, PLATFORM)

    scene.kube.fail("replace_status", STORES, ClusterError("modified", status=409))
    scene.kube.before("get", STORES, vanish)
    with pytest.raises(Requeue):
        await scene.context.write(draft)


async def test_other_errors_are_the_callers(scene: Scene) -> None:
    draft = await draft_with_news(scene)
    scene.kube.fail("replace_status", STORES, ClusterError("boom", status=500))
    with pytest.raises(ClusterError, match="boom"):
        await scene.context.write(draft)


async def test_the_events_of_a_draft_are_recorded_with_its_write_and_only_once(scene: Scene) -> None:
    draft = await draft_with_news(scene)
    recorded: list[str] = []

    class Recorder:
        """Records the types of events."""

        def record(self, store: object, event: dict[str, str]) -> None:
            """Record one."""
            recorded.append(event["type"])

        def forget(self, uid: str) -> None:
            """Forget nothing."""

    object.__setattr__(scene.context, "recorder", Recorder())
    scene.kube.fail("replace_status", STORES, ClusterError("boom", status=500))
    with pytest.raises(ClusterError):
        await scene.context.write(draft)
    assert recorded == []
    await scene.context.write(draft)
    draft.set_progress("namespace", "namespace store-shop-a")
    await scene.context.write(draft)
    assert recorded == ["ProvisioningStarted"]
