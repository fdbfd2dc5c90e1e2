"""The isolation step: quota, limits and network policies as the settings say, applied again at any time."""

import pytest

from reconciler.kube.resources import LIMIT_RANGES, NETWORK_POLICIES, QUOTAS, name_of
from reconciler.steps.ensure_isolation import ensure_isolation
from reconciler.steps.ensure_namespace import ensure_namespace
from tests.reconciler.harness import NAMESPACE, Harness
from urumi.errors import ClusterError

pytestmark = pytest.mark.anyio

OBJECTS = [
    ("ResourceQuota", "store-quota"),
    ("LimitRange", "store-limits"),
    ("NetworkPolicy", "default-deny"),
    ("NetworkPolicy", "allow-databases"),
    ("NetworkPolicy", "allow-required"),
]


async def test_everything_is_applied_and_returned_for_the_inventory(harness: Harness) -> None:
    await harness.create_store()
    store = await harness.store()
    await ensure_namespace(harness.kube, store)
    applied = await ensure_isolation(harness.kube, harness.settings, store)
    assert [(item["kind"], name_of(item)) for item in applied] == OBJECTS
    [quota] = await harness.list(QUOTAS)
    assert quota["spec"]["hard"] == harness.settings.quota


async def test_a_second_run_changes_nothing_and_reverts_what_was_changed_or_deleted(harness: Harness) -> None:
    await harness.create_store()
    store = await harness.store()
    await ensure_namespace(harness.kube, store)
    first = await ensure_isolation(harness.kube, harness.settings, store)
    await harness.settle()
    versions = [item["metadata"]["resourceVersion"] for item in first[1:]]
    second = await ensure_isolation(harness.kube, harness.settings, store)
    assert [item["metadata"]["resourceVersion"] for item in second[1:]] == versions
    await harness.others.merge(NETWORK_POLICIES, "default-deny", {"spec": {"policyTypes": ["Ingress"]}}, NAMESPACE)
    await harness.others.delete(LIMIT_RANGES, "store-limits", NAMESPACE)
    third = await ensure_isolation(harness.kube, harness.settings, store)
    assert [item["spec"] for item in third] == [item["spec"] for item in first]


async def test_an_error_of_the_api_server_ends_the_step(harness: Harness) -> None:
    await harness.create_store()
    store = await harness.store()
    await ensure_namespace(harness.kube, store)
    harness.kube.fail("apply", NETWORK_POLICIES, ClusterError("boom", status=500))
    with pytest.raises(ClusterError, match="boom"):
        await ensure_isolation(harness.kube, harness.settings, store)
