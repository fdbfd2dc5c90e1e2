"""The evaluation of a released store: waiting, Ready, Degraded, failed, and the way back."""

import pytest

from reconciler.kube.event_recorder import EVENTS
from reconciler.kube.resources import DEPLOYMENTS, PODS, STATEFUL_SETS, STORES, Object
from reconciler.metrics import FAILURES
from tests.reconciler.conftest import MakeHarness
from tests.reconciler.harness import NAMESPACE, STORE_ID, Harness
from urumi.store import store_labels

pytestmark = pytest.mark.anyio


async def add_pod(harness: Harness, workload: str, **status: object) -> Object:
    """Create a pod of a StatefulSet with a status."""
    meta = {
        "name": f"{workload}-0",
        "labels": store_labels(STORE_ID),
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": workload, "uid": "u"}],
    }
    pod = await harness.controllers.create(PODS, {"metadata": meta, "spec": {}}, NAMESPACE)
    return await harness.controllers.replace_status(PODS, pod, status)


async def long_unhealthy(harness: Harness) -> None:
    """Make the store unhealthy for a long time."""
    store = await harness.store()
    status = store.status
    for condition in status["conditions"]:
        condition["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    await harness.controllers.replace_status(STORES, store.raw, status)


async def test_waiting_names_every_workload_and_keeps_the_time_left(harness: Harness) -> None:
    await harness.create_store()
    seen = await harness.reconcile()
    assert seen.condition("Healthy") == ("False", "WaitingForWorkloads")
    assert seen.progress["message"] == "waiting for mariadb 0/1: no pod yet, wordpress 0/1: no pod yet"
    assert seen.event("WaitingForWorkloads")["message"] == "release deployed, waiting for its pods"
    assert 590 < max(harness.queue.delays[STORE_ID]) <= 600


async def test_waiting_holds_no_slot(make_harness: MakeHarness) -> None:
    async with make_harness(max_concurrent_provisions=1) as harness:
        await harness.create_store()
        await harness.reconcile()
        assert harness.limiter.acquire("another-store")


async def test_a_change_within_a_second_is_reported_with_the_next_reconcile(harness: Harness) -> None:
    await harness.create_store()
    first = await harness.reconcile()
    await add_pod(harness, "mariadb", phase="Running")
    second = await harness.reconcile()
    assert second.progress == first.progress
    assert 0 < min(harness.queue.delays[STORE_ID]) <= 1
    harness.context.term_state(await harness.store()).reported_at -= 1
    third = await harness.reconcile()
    assert "pod mariadb-0: NotReady" in third.progress["message"]


async def test_events_are_read_only_after_some_seconds_without_a_cause(harness: Harness) -> None:
    await harness.create_store()
    await harness.reconcile()
    event = {
        "metadata": {"name": "refused"},
        "type": "Warning",
        "reason": "FailedCreate",
        "note": "volume is not there",
        "eventTime": "2026-11-24T10:00:00Z",
        "regarding": {"kind": "StatefulSet", "name": "mariadb", "uid": "u"},
    }
    await harness.controllers.create(EVENTS, event, NAMESPACE)
    harness.kube.calls.clear()
    harness.context.term_state(await harness.store()).reported_at -= 1
    early = await harness.reconcile()
    assert "mariadb 0/1: no pod yet" in early.progress["message"]
    assert ("list_page", "events", "") not in harness.kube.calls
    await long_unhealthy(harness)
    harness.context.term_state(await harness.store()).reported_at -= 1
    late = await harness.reconcile()
    assert "mariadb 0/1: FailedCreate volume is not there" in late.progress["message"]


async def test_a_provision_out_of_time_fails_with_the_cause_and_its_hint(make_harness: MakeHarness) -> None:
    before = FAILURES.labels("timeout")._value.get()
    async with make_harness(max_provision_seconds=1e-6) as harness:
        await harness.create_store()
        seen = await harness.reconcile()
        assert seen.phase == "Failed"
        assert seen.error["message"].startswith("not ready after 0 s: mariadb 0/1: no pod yet")
        assert (seen.error["step"], seen.error["reason"]) == ("health", "NoPodYet")
        assert seen.error["hint"].startswith("Fix the cause")
        assert FAILURES.labels("timeout")._value.get() == before + 1


async def test_a_failed_store_reports_its_workloads_and_becomes_ready_with_them(make_harness: MakeHarness) -> None:
    async with make_harness(max_provision_seconds=1e-6) as harness:
        await harness.create_store()
        await harness.reconcile()
        await harness.make_ready()
        await harness.make_unready(DEPLOYMENTS, "wordpress")
        partly = await harness.reconcile()
        assert partly.phase == "Failed"
        assert partly.message("Healthy") == "mariadb 1/1, wordpress 0/1: no pod yet"
        assert partly.events.count("Failed") == 1
        await harness.make_ready()
        ready = await harness.reconcile()
        assert ready.phase == "Ready"
        assert "lastError" not in ready.status


async def test_a_ready_store_that_loses_a_pod_is_degraded_once_and_recovers(harness: Harness) -> None:
    ready = await harness.ready_store()
    await harness.make_unready(STATEFUL_SETS, "mariadb")
    degraded = await harness.reconcile()
    assert degraded.phase == "Degraded"
    assert degraded.condition("Healthy") == ("False", "WorkloadsUnhealthy")
    assert degraded.event("Degraded")["message"] == "mariadb 0/1: no pod yet, wordpress 1/1"
    again = await harness.reconcile()
    assert again.events.count("Degraded") == 1
    await harness.make_ready()
    recovered = await harness.reconcile()
    assert recovered.phase == "Ready"
    assert recovered.events[-1] == "Recovered"
    assert "seconds" not in recovered.event("Recovered")
    assert "seconds" in ready.event("Ready")


async def test_the_inventory_lists_the_objects_of_the_release_and_of_the_platform(harness: Harness) -> None:
    ready = await harness.ready_store()
    names = {entry.split("=")[0] for entry in ready.status["inventory"].split()}
    assert {"Deployment/wordpress", "StatefulSet/mariadb", "Service/wordpress"} <= names
    assert {"ResourceQuota/store-quota", "Secret/store-admin", f"Namespace/{NAMESPACE}"} <= names
