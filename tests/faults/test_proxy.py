"""The proxy: real clients work through it, and each fault has its effect."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.local.cluster import ClusterInfo
from testing.faults.call import of, watches
from testing.faults.proxy import ApiProxy
from testing.kubectl import Kubectl, wait_for


@pytest.fixture
def proxy(local_cluster: ClusterInfo, tmp_path: Path) -> Iterator[ApiProxy]:
    """A proxy in front of the API server."""
    with ApiProxy(local_cluster, tmp_path) as proxy:
        yield proxy


@pytest.fixture
def kubectl_behind(proxy: ApiProxy) -> Kubectl:
    """kubectl through the proxy."""
    return Kubectl(proxy.cluster)


def test_kubectl_and_helm_work_through_it_and_are_counted(
    proxy: ApiProxy, kubectl_behind: Kubectl, tmp_path: Path
) -> None:
    kubectl_behind.run("create", "configmap", "through-proxy", "--from-literal=a=b")
    assert kubectl_behind.get("configmap", "through-proxy")["data"] == {"a": "b"}
    kubectl_behind.run("delete", "configmap", "through-proxy")
    verbs = [call.verb for call in proxy.calls_of(of("configmaps"))]
    assert verbs[0] == "create"
    assert "delete" in verbs

    chart = tmp_path / "tiny"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: tiny\nversion: 0.1.0\n")
    (chart / "templates" / "map.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tiny}\n")
    helm = [str(proxy.cluster.helm), "--kubeconfig", str(proxy.cluster.kubeconfig)]
    subprocess.run([*helm, "install", "tiny", str(chart), "--wait"], check=True, capture_output=True)
    subprocess.run([*helm, "uninstall", "tiny", "--wait"], check=True, capture_output=True)
    assert proxy.calls_of(of("secrets", "create"))
    assert {call.status for call in proxy.calls_of(of("secrets", "create"))} == {201}


def test_a_response_of_the_proxy_reaches_the_client(proxy: ApiProxy, kubectl_behind: Kubectl) -> None:
    with proxy.answering(403, b"not today", only=of("configmaps")):
        refused = kubectl_behind.attempt("get", "configmaps")
        assert kubectl_behind.attempt("get", "services").returncode == 0
    assert "Forbidden" in refused.stderr
    assert kubectl_behind.attempt("get", "configmaps").returncode == 0


def test_no_call_passes_a_black_hole_until_it_ends(proxy: ApiProxy, kubectl_behind: Kubectl) -> None:
    done: list[subprocess.CompletedProcess[str]] = []
    kubectl_call = threading.Thread(target=lambda: done.append(kubectl_behind.attempt("get", "--raw", "/version")))
    with proxy.black_hole():
        kubectl_call.start()
        call = proxy.wait_for_call()
        kubectl_call.join(0.5)
        assert kubectl_call.is_alive()
        assert call.status is None
    kubectl_call.join(10)
    assert done[0].returncode == 0


def test_a_closed_port_is_reported_immediately(proxy: ApiProxy, kubectl_behind: Kubectl) -> None:
    with proxy.cutting():
        assert kubectl_behind.attempt("get", "--raw", "/version").returncode != 0


def test_a_line_is_injected_into_an_open_watch(proxy: ApiProxy) -> None:
    kubectl = [str(proxy.cluster.kubectl), "--kubeconfig", str(proxy.cluster.kubeconfig)]
    path = "/api/v1/namespaces/default/configmaps?watch=1"
    line = {"type": "BOOKMARK", "object": {"kind": "ConfigMap", "metadata": {"resourceVersion": "7"}}}
    with subprocess.Popen([*kubectl, "get", "--raw", path], stdout=subprocess.PIPE, text=True) as watching:
        wait_for(lambda: proxy.inject(json.dumps(line).encode()), "a watch to be open")
        assert watching.stdout is not None
        seen = watching.stdout.readline()
        while '"7"' not in seen:
            seen = watching.stdout.readline()
        assert json.loads(seen) == line
        proxy.cut(watches)
        assert watching.wait(10) != 0 or watching.stdout.read() == ""


def test_delayed_calls_take_longer(proxy: ApiProxy, kubectl_behind: Kubectl) -> None:
    started = time.monotonic()
    with proxy.delaying(1.0):
        kubectl_behind.run("get", "--raw", "/version")
    assert time.monotonic() - started >= 1.0
