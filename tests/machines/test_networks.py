"""Networks that people have: a proxy without exceptions, no IPv6, a `localhost` that is not 127.0.0.1, or none."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl
from testing.proxy import RefusingProxy, refusing_proxy
from testing.serve import ServerProcess
from tests.machines.nested import run_tests

LIFE = "tests/end_to_end/test_store_life.py::test_a_store_of_each_engine_becomes_ready_and_leaves_nothing"
NO_IPV6 = "ip link set lo up && echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6"


@pytest.fixture
def proxy() -> Iterator[RefusingProxy]:
    """A company's proxy that cannot reach this machine."""
    with refusing_proxy() as made:
        yield made


def test_nothing_on_this_machine_goes_through_a_proxy(
    local_cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path, store_id: str, proxy: RefusingProxy
) -> None:
    with ServerProcess(local_cluster, kubectl, tmp_path, **proxy.variables) as server:
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "URUMI_TOKEN": server.token, **proxy.variables}
        command = [sys.executable, "-m", "urumi.cli.main", "--url", server.url]
        create = [*command, "create", store_id, "--engine", "woocommerce", "--wait"]
        done = subprocess.run(create, env=environ, capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, done.stdout.split()[:2]) == (0, [store_id, "Ready"]), done.stderr
        readyz = [str(local_cluster.kubectl), "--kubeconfig", str(local_cluster.kubeconfig), "get", "--raw", "/readyz"]
        assert subprocess.run(readyz, env=environ, capture_output=True, text=True, check=True).stdout == "ok"
    assert proxy.requests == []


@pytest.mark.thorough
@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs root on Linux, for namespaces")
@pytest.mark.parametrize("hosts", ["127.0.0.1 localhost", "::1 localhost", ""], ids=["usual", "IPv6 only", "none"])
def test_a_store_becomes_ready_without_ipv6_and_whatever_localhost_is(
    cluster_programs: None, tmp_path: Path, hosts: str
) -> None:
    (tmp_path / "hosts").write_text(f"{hosts}\n")
    mount = f"mount --bind '{tmp_path}/hosts' /etc/hosts"
    shell = ["unshare", "--net", "--mount", "sh", "-ec", f'{NO_IPV6} && {mount} && exec "$@"', "sh"]
    assert "1 passed" in run_tests([f"{LIFE}[woocommerce-mariadb 1/1, wordpress 1/1]"], before=shell)
