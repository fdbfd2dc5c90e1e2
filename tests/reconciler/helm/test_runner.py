"""Helm as a child process: no process is left after a cancellation at any moment, and its output is limited."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cluster.local.cluster import ClusterInfo
from reconciler.helm.labels import RELEASE_SELECTOR
from reconciler.helm.release import newest_revision, unlock
from reconciler.helm.runner import Helm
from reconciler.kube.client import Kube
from reconciler.kube.resources import NAMESPACES, SECRETS, name_of
from reconciler.settings import Settings
from reconciler.store.desired import desired_release
from urumi.errors import ConfigurationError, StepError, TransientError

pytestmark = pytest.mark.anyio

CANCELS = 500
AT_ONCE = 10
CANCELLED_AFTER_SECONDS = (0.0, 0.35)
STUBBORN = '#!/bin/bash\ntrap "" TERM\necho $$ >> {pids}\nsleep 60 &\necho $! >> {pids}\nwait\nwait\n'


class Held:
    """A leader term without an end."""

    fencing_token = 1

    def is_valid(self) -> bool:
        """Return True."""
        return True


@pytest.fixture
def settings(local_cluster: ClusterInfo) -> Settings:
    """The reconciler's settings for the test cluster."""
    return Settings(kubeconfig=local_cluster.kubeconfig, helm=str(local_cluster.helm))


@pytest.fixture
async def kube(local_cluster: ClusterInfo) -> AsyncIterator[Kube]:
    """The API of the test cluster."""
    kube = await Kube.connect(local_cluster.kubeconfig)
    yield kube
    await kube.close()


def helms_of_this_process() -> list[int]:
    """Return the pids of the running children of this process that lead a process group."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, ValueError):
            state, parent = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[:2]
            command = Path(f"/proc/{name}/cmdline").read_bytes()
            if int(parent) == os.getpid() and state != "Z" and b"helm" in command:
                found.append(int(name))
    return found


async def cancelled_install(
    helm: Helm, settings: Settings, name: str, after_seconds: float, *, is_cancelled_twice: bool
) -> None:
    """Start an install and cancel it, every third time twice."""
    desired = desired_release(settings, {"storeId": name, "engine": "woocommerce"})
    task = asyncio.create_task(helm.install(name, name, desired.chart_dir, desired.values, {}))
    await asyncio.sleep(after_seconds)
    task.cancel()
    if is_cancelled_twice:
        await asyncio.sleep(0.01)
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError, StepError):
        await task


@pytest.mark.thorough
async def test_after_500_cancellations_no_process_is_left_and_the_release_can_be_upgraded(
    settings: Settings, kube: Kube, store_id: str, rng: random.Random
) -> None:
    helm = Helm(settings, Held())  # type: ignore[arg-type]
    names = [f"{store_id}-{number}" for number in range(AT_ONCE)]
    for name in names:
        await kube.create(NAMESPACES, {"metadata": {"name": name}})
    for _ in range(CANCELS // AT_ONCE):
        waits = {name: rng.uniform(*CANCELLED_AFTER_SECONDS) for name in names}
        await asyncio.gather(
            *(
                cancelled_install(helm, settings, name, wait, is_cancelled_twice=rng.random() < 0.3)
                for name, wait in waits.items()
            )
        )
        assert helms_of_this_process() == []
    name = names[0]
    listed = await kube.list_page(SECRETS, name, {"labelSelector": RELEASE_SELECTOR}, metadata_only=True)
    state = newest_revision({name_of(item): item for item in listed["items"]}, name)
    if state is not None and state.is_pending:
        assert await unlock(kube, name, state)
    desired = desired_release(settings, {"storeId": name, "engine": "woocommerce"})
    assert await helm.install(name, name, desired.chart_dir, desired.values, {}) >= 1
    for name in names:
        await kube.delete(NAMESPACES, name)


async def test_a_helm_that_ignores_term_is_killed_with_its_children(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.helm.runner.GRACE_SECONDS", 0.5)
    pids_file = tmp_path / "pids"
    script = tmp_path / "helm"
    script.write_text(STUBBORN.format(pids=pids_file))
    script.chmod(0o755)
    stubborn = Settings(kubeconfig=settings.kubeconfig, helm=str(script))
    task = asyncio.create_task(Helm(stubborn, Held()).uninstall("some", "some"))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        while not pids_file.exists() or len(pids_file.read_text().split()) < 2:
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    for pid in map(int, pids_file.read_text().split()):
        assert not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text()


async def test_long_output_is_cut(settings: Settings, tmp_path: Path) -> None:
    script = tmp_path / "helm"
    script.write_text("#!/bin/bash\nhead -c 30000000 /dev/zero | tr '\\0' x >&2\necho the end >&2\nexit 1\n")
    script.chmod(0o755)
    loud = Settings(kubeconfig=settings.kubeconfig, helm=str(script))
    with pytest.raises(TransientError) as caught:
        await Helm(loud, Held()).uninstall("some", "some")  # type: ignore[arg-type]
    assert "the end" in caught.value.message
    assert len(caught.value.message) < 2000


async def test_helm_is_not_started_after_leadership_was_lost(settings: Settings, tmp_path: Path) -> None:
    class Lost(Held):
        def is_valid(self) -> bool:
            return False

    script = tmp_path / "helm"
    script.write_text(f"#!/bin/bash\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    with pytest.raises(asyncio.CancelledError):
        await Helm(Settings(helm=str(script)), Lost()).uninstall("some", "some")  # type: ignore[arg-type]
    assert not (tmp_path / "ran").exists()


async def test_a_missing_helm_program_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not found") as caught:
        await Helm(Settings(helm=str(tmp_path / "none")), Held()).uninstall("some", "some")  # type: ignore[arg-type]
    assert caught.value.reason == "HelmUnusable"
    assert "URUMI_HELM" in caught.value.hint
