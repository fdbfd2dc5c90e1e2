"""Calls of the API: every response is validated, and every call has a timeout."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from cluster.local.cluster import ClusterInfo
from reconciler.kube.client import Kube
from reconciler.kube.resources import NAMESPACES, SECRETS
from testing.faults.proxy import ApiProxy
from urumi.errors import ClusterError, ClusterUnreachable

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def behind(cluster: ClusterInfo, folder: Path) -> AsyncIterator[tuple[ApiProxy, Kube]]:
    """A proxy and a client behind it."""
    with ApiProxy(cluster, folder) as proxy:
        kube = await Kube.connect(proxy.cluster.kubeconfig)
        try:
            yield proxy, kube
        finally:
            await kube.close()


async def test_an_error_in_html_is_an_error_with_its_status(local_cluster: ClusterInfo, tmp_path: Path) -> None:
    async with behind(local_cluster, tmp_path) as (proxy, kube):
        with proxy.answering(502, b"<html>Bad Gateway</html>"), pytest.raises(ClusterError) as failure:
            await kube.apply(NAMESPACES, {"metadata": {"name": "never"}})
    assert failure.value.status == 502
    assert failure.value.message == "HTTP 502 from the Kubernetes API"


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"", b"[]", b'{"kind": "Sta'])
async def test_a_success_without_an_object_is_an_error(local_cluster: ClusterInfo, tmp_path: Path, body: bytes) -> None:
    async with behind(local_cluster, tmp_path) as (proxy, kube):
        with proxy.answering(200, body), pytest.raises(ClusterError) as failure:
            await kube.get(NAMESPACES, "default")
    assert failure.value.status == 200
    assert "GET /api/v1/namespaces/default returned" in failure.value.message


async def test_a_broken_secret_is_not_quoted_beyond_its_name(local_cluster: ClusterInfo, tmp_path: Path) -> None:
    meta = '{"name":"store-admin","namespace":"store-a-shop","uid":"0b6a4fdd-8f5e"}'
    body = f'{{"kind":"Secret","apiVersion":"v1","metadata":{meta},"data":{{"password":"aHVudGVyMg=="'
    async with behind(local_cluster, tmp_path) as (proxy, kube):
        with proxy.answering(200, body.encode()), pytest.raises(ClusterError) as failure:
            await kube.get(SECRETS, "store-admin", "store-a-shop")
    assert "aHVudGVyMg" not in failure.value.message


@pytest.mark.parametrize(
    ("header", "least", "most"),
    # The date is of when the tests are collected, which may be long before this one runs.
    [("7", 7, 7), (format_datetime(datetime.now(UTC) + timedelta(hours=9), usegmt=True), 3600, 9 * 3600)],
    ids=["seconds", "date"],
)
async def test_retry_after_is_parsed(
    local_cluster: ClusterInfo, tmp_path: Path, header: str, least: float, most: float
) -> None:
    async with behind(local_cluster, tmp_path) as (proxy, kube):
        with proxy.answering(429, headers={"Retry-After": header}), pytest.raises(ClusterError) as failure:
            await kube.get(NAMESPACES, "default")
    assert failure.value.retry_after_seconds is not None
    assert least <= failure.value.retry_after_seconds <= most


async def test_a_malformed_retry_after_is_ignored(local_cluster: ClusterInfo, tmp_path: Path) -> None:
    async with behind(local_cluster, tmp_path) as (proxy, kube):
        with proxy.answering(429, headers={"Retry-After": "soon"}), pytest.raises(ClusterError) as failure:
            await kube.get(NAMESPACES, "default")
    assert failure.value.retry_after_seconds is None


async def test_a_call_without_a_response_times_out(
    local_cluster: ClusterInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.kube.client.CALL_SECONDS", 0.2)
    async with behind(local_cluster, tmp_path) as (proxy, kube):
        with proxy.black_hole(), pytest.raises(ClusterUnreachable):
            await kube.get(NAMESPACES, "default")


async def test_an_outage_starts_with_a_call_without_a_response_and_ends_with_any_response(
    local_cluster: ClusterInfo, tmp_path: Path
) -> None:
    async with behind(local_cluster, tmp_path) as (proxy, kube):
        await kube.get(NAMESPACES, "default")
        assert kube.outage.reason == ""
        with proxy.cutting(), pytest.raises(ClusterUnreachable) as failure:
            await kube.get(NAMESPACES, "default")
        assert kube.outage.reason == failure.value.message
        assert f"The Kubernetes API at {kube.host} does not answer" in kube.outage.reason
        with proxy.answering(403), pytest.raises(ClusterError):
            await kube.get(NAMESPACES, "default")
        assert kube.outage.reason == ""
        await kube.outage.ended()
