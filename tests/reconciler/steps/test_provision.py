"""A provision from request to Ready: what starts it, what ends it, and what its errors lead to."""

from pathlib import Path

import pytest

from reconciler.kube.resources import NAMESPACES, NETWORK_POLICIES, QUOTAS, SECRETS, STORES
from tests.reconciler.conftest import MakeHarness
from tests.reconciler.harness import NAMESPACE, RELEASE, STORE_ID, Harness
from urumi.errors import ClusterError, ClusterUnreachable, ConfigurationError, TransientError
from urumi.store import RETRY_ANNOTATION

pytestmark = pytest.mark.anyio

REFUSED = ConfigurationError("helm could not install: values", step="release", reason="HelmRefused", hint="Check it.")
FAILED = TransientError("helm could not install: timeout", step="release", reason="HelmFailed")


async def test_a_store_goes_through_every_step_and_becomes_ready(harness: Harness) -> None:
    await harness.create_store()
    waiting = await harness.reconcile()
    assert waiting.phase == "Provisioning"
    assert (waiting.progress["step"], waiting.progress["index"], waiting.progress["total"]) == ("health", 5, 6)
    assert waiting.condition("Released") == ("True", "Deployed")
    await harness.make_ready()
    ready = await harness.reconcile()
    assert ready.phase == "Ready"
    assert ready.events == [
        "ProvisioningStarted",
        "NamespaceReady",
        "GuardrailsReady",
        "CredentialsReady",
        "HelmInstallStarted",
        "HelmInstalled",
        "WaitingForWorkloads",
        "Ready",
    ]
    assert ready.event("ProvisioningStarted")["message"] == "woocommerce store shop-a requested"
    assert ready.event("Ready")["message"] == "mariadb 1/1, wordpress 1/1 (simulated containers: no shop is running)"
    assert ready.status["url"] == "http://shop-a.127.0.0.1.nip.io"
    assert ready.status["adminUrl"] == "http://shop-a.127.0.0.1.nip.io/wp-admin/"
    assert (ready.status["namespace"], ready.status["releaseName"]) == (NAMESPACE, RELEASE)
    assert ready.status["simulated"] is True
    assert "progress" not in ready.status


async def test_a_reconcile_of_a_ready_store_writes_nothing_and_runs_no_helm(harness: Harness) -> None:
    await harness.ready_store()
    harness.kube.calls.clear()
    await harness.reconcile()
    assert (harness.writes(), harness.helm.installs) == ({}, [RELEASE])


async def test_a_new_leader_of_a_ready_store_writes_nothing(harness: Harness) -> None:
    await harness.ready_store()
    await harness.context.storefront_checks.close()
    harness.new_term(fencing_token=3)
    harness.kube.calls.clear()
    await harness.reconcile()
    assert harness.writes() == {}


async def test_a_changed_spec_starts_a_new_provision_and_removes_ready_before_helm_runs(harness: Harness) -> None:
    await harness.ready_store()
    await harness.edit_store(spec={"values": {"store": {"title": "New"}}})
    harness.helm.gate.clear()
    reconcile = await harness.reconcile_until_helm_runs(2)
    during = await harness.seen()
    assert during.condition("Ready") == ("False", "Provisioning")
    assert during.progress["message"] == "upgrading to chart woocommerce 0.1.0 with Helm"
    assert during.event("ProvisioningStarted")["message"] == "the store's spec changed"
    harness.helm.gate.set()
    await reconcile
    assert (await harness.seen()).status["release"]["revision"] == 2


async def test_a_changed_chart_or_setting_starts_a_new_provision(harness: Harness) -> None:
    ready = await harness.ready_store()
    await harness.controllers.replace_status(
        STORES, (await harness.store()).raw, {**ready.status, "desiredDigest": "old"}
    )
    seen = await harness.reconcile()
    assert seen.event("ProvisioningStarted")["message"] == "the platform's chart or settings changed"
    assert seen.phase == "Ready"
    assert harness.helm.installs == [RELEASE]


async def test_a_configuration_error_fails_the_store_until_a_retry_is_requested(harness: Harness) -> None:
    harness.helm.errors.append(REFUSED)
    await harness.create_store()
    failed = await harness.reconcile()
    assert failed.phase == "Failed"
    assert failed.error["message"] == REFUSED.message
    assert failed.error["hint"] == "Check it."
    assert failed.condition("Released") == ("False", "HelmRefused")
    assert failed.event("Failed")["level"] == "error"
    await harness.reconcile()
    assert harness.helm.installs == [RELEASE]
    await harness.edit_store(metadata={"annotations": {RETRY_ANNOTATION: "2026-11-24T10:00:00Z"}})
    retried = await harness.reconcile()
    assert retried.phase == "Provisioning"
    assert "lastError" not in retried.status
    assert retried.event("ProvisioningStarted")["message"] == "retry requested"


async def test_a_transient_error_is_retried_after_a_wait_and_not_before(harness: Harness) -> None:
    harness.helm.errors.append(FAILED)
    await harness.create_store()
    seen = await harness.reconcile()
    assert (seen.phase, seen.status["attempts"]) == ("Provisioning", 2)
    assert seen.event("AttemptFailed")["message"] == FAILED.message
    [wait] = [wait for wait in harness.queue.delays[STORE_ID] if wait > 0.5]
    assert 1.6 <= wait <= 2.4
    again = await harness.reconcile()
    assert harness.helm.installs == [RELEASE]
    assert again.status["nextRetryAt"] == seen.status["nextRetryAt"]
    await harness.controllers.replace_status(
        STORES, (await harness.store()).raw, {**again.status, "nextRetryAt": "2026-01-01T00:00:00Z"}
    )
    retried = await harness.reconcile()
    assert harness.helm.installs == [RELEASE, RELEASE]
    assert "nextRetryAt" not in retried.status
    assert retried.condition("Released") == ("True", "Deployed")


async def test_a_transient_error_after_the_deadline_fails_the_store_and_is_still_retried(
    make_harness: MakeHarness,
) -> None:
    async with make_harness(max_provision_seconds=1e-6) as harness:
        harness.helm.errors.append(FAILED)
        await harness.create_store()
        failed = await harness.reconcile()
        assert (failed.phase, failed.status["attempts"]) == ("Failed", 2)
        due = {**failed.status, "nextRetryAt": "2026-01-01T00:00:00Z"}
        await harness.others.replace_status(STORES, (await harness.store()).raw, due)
        retried = await harness.reconcile()
        assert retried.status["release"]["revision"] == 1
        assert "nextRetryAt" not in retried.status


async def test_a_missing_chart_fails_the_store_and_names_the_setting(make_harness: MakeHarness, tmp_path: Path) -> None:
    async with make_harness(charts_dir=tmp_path) as harness:
        await harness.create_store()
        seen = await harness.reconcile()
        assert (seen.phase, seen.error["reason"]) == ("Failed", "ChartMissing")
        assert "URUMI_CHARTS_DIR" in seen.error["hint"]


@pytest.mark.parametrize(
    ("error", "phase"),
    [
        pytest.param(ClusterError("no such field", status=422, reason="Invalid"), "Failed", id="422"),
        pytest.param(ClusterError("malformed", status=400, reason="BadRequest"), "Failed", id="400"),
        pytest.param(ClusterError("forbidden", status=403, reason="Forbidden"), "Failed", id="403"),
        pytest.param(
            ClusterError("forbidden: namespace is being terminated", status=403, reason="Forbidden"),
            "Provisioning",
            id="403 of a terminating namespace",
        ),
        pytest.param(ClusterError("boom", status=500), "Provisioning", id="500"),
        pytest.param(ClusterUnreachable("no answer"), "Provisioning", id="unreachable"),
    ],
)
async def test_a_cluster_error_becomes_an_error_of_the_step(harness: Harness, error: ClusterError, phase: str) -> None:
    harness.kube.fail("apply", QUOTAS, error)
    await harness.create_store()
    seen = await harness.reconcile()
    assert seen.phase == phase
    assert (seen.error["step"], seen.error["message"]) == ("guardrails", error.message)
    assert harness.helm.installs == []


async def test_a_slow_step_is_written_before_the_next_one(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.steps.foundation.SLOW_STEP_SECONDS", -1.0)
    await harness.create_store()
    progress: list[str] = []

    async def note() -> None:
        progress.append((await harness.seen()).progress.get("message", ""))

    harness.kube.before("apply", QUOTAS, note)
    harness.kube.before("get", SECRETS, note)
    await harness.reconcile()
    assert progress == [f"namespace {NAMESPACE}", "quota, limits, network policies"]


async def test_a_terminating_namespace_is_reported_and_the_release_is_not_touched(harness: Harness) -> None:
    await harness.ready_store()
    await harness.others.merge(NAMESPACES, NAMESPACE, {"metadata": {"finalizers": ["test/hold"]}})
    await harness.others.delete(NAMESPACES, NAMESPACE)
    seen = await harness.reconcile()
    assert seen.error["message"] == f"namespace {NAMESPACE} is terminating; it will be recreated once it is gone"
    assert harness.helm.installs == [RELEASE]


async def test_a_deleted_namespace_is_provisioned_again(harness: Harness) -> None:
    await harness.ready_store()
    await harness.others.delete(NAMESPACES, NAMESPACE)
    seen = await harness.reconcile()
    assert seen.event("ProvisioningStarted")["message"] == f"release {RELEASE} is missing"
    assert harness.helm.installs == [RELEASE, RELEASE]


@pytest.mark.parametrize(
    ("status", "digest", "why"),
    [
        pytest.param("failed", None, f"release {RELEASE} is failed at revision 2", id="failed"),
        pytest.param("deployed", "other", f"release {RELEASE} was changed out of band", id="another content"),
    ],
)
async def test_a_release_that_is_not_as_reported_starts_a_new_provision(
    harness: Harness, status: str, digest: str | None, why: str
) -> None:
    ready = await harness.ready_store()
    labels = {"urumi.ai/digest": digest or ready.status["desiredDigest"], "urumi.ai/epoch": "2"}
    await harness.helm.write_revision(RELEASE, NAMESPACE, status, **labels)
    seen = await harness.reconcile()
    assert seen.event("ProvisioningStarted")["message"] == why
    assert seen.status["release"]["revision"] == 3


async def test_a_release_that_a_process_deployed_and_did_not_report_is_adopted_without_helm(harness: Harness) -> None:
    await harness.create_store()
    harness.helm.gate.clear()
    reconcile = await harness.reconcile_until_helm_runs()
    harness.kube.fail("replace_status", STORES, ClusterUnreachable("killed"))
    harness.helm.gate.set()
    with pytest.raises(ClusterUnreachable):
        await reconcile
    await harness.context.storefront_checks.close()
    harness.new_term(fencing_token=3)
    seen = await harness.reconcile()
    assert harness.helm.installs == [RELEASE]
    assert seen.condition("Released") == ("True", "Deployed")
    assert "seconds" not in seen.event("HelmInstalled")


async def test_changed_limits_of_the_platform_are_applied_to_a_ready_store_without_helm(
    make_harness: MakeHarness,
) -> None:
    async with make_harness(ingress_namespaces=("elsewhere",)) as harness:
        ready = await harness.ready_store()
        outdated = {**ready.status, "guardrails": "outdated"}
        await harness.controllers.replace_status(STORES, (await harness.store()).raw, outdated)
        await harness.others.merge(NETWORK_POLICIES, "allow-required", {"spec": {"ingress": []}}, NAMESPACE)
        seen = await harness.reconcile()
        assert seen.phase == "Ready"
        assert seen.event("GuardrailsUpdated")["level"] == "info"
        policy = await harness.others.get(NETWORK_POLICIES, "allow-required", NAMESPACE)
        assert "elsewhere" in str(policy)
        assert harness.helm.installs == [RELEASE]


async def test_changed_limits_of_the_platform_start_a_failed_store_again(harness: Harness) -> None:
    harness.helm.errors.append(REFUSED)
    await harness.create_store()
    failed = await harness.reconcile()
    await harness.controllers.replace_status(
        STORES, (await harness.store()).raw, {**failed.status, "guardrails": "outdated"}
    )
    seen = await harness.reconcile()
    assert seen.phase == "Provisioning"
    assert seen.event("ProvisioningStarted")["message"] == "the platform's quota, limits or network policies changed"


async def test_a_deployed_store_holds_no_slot(make_harness: MakeHarness) -> None:
    async with make_harness(max_concurrent_provisions=1) as harness:
        await harness.ready_store()
        harness.limiter.acquire(STORE_ID)
        await harness.reconcile()
        assert harness.limiter.acquire("another-store")
