"""What prevents a node is said before anything is created, in sentences with a remedy."""

import os
import platform
import shutil
from pathlib import Path

import pytest

from cluster.node import host
from cluster.node.product import obstacles
from cluster.node.product.node import ProductNode
from cluster.node.product.obstacles import node_obstacles


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProductNode:
    """A node that was never started, on a machine that could run one."""
    monkeypatch.setenv("URUMI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(host, "platform_obstacle", lambda system, user: "")
    monkeypatch.setattr(host, "namespace_obstacle", lambda: "")
    monkeypatch.setattr(host, "PACKAGES", {})
    monkeypatch.setattr(obstacles, "CACHE_BYTES", 0)
    monkeypatch.setattr(obstacles, "STATE_BYTES", 0)
    monkeypatch.setattr(obstacles, "MEMORY_BYTES", 0)
    return ProductNode(tmp_path / "state" / "node", lambda text: None)


def sentences(product: ProductNode) -> list[str]:
    """Return the findings as text."""
    return [f"{found.level}: {found.sentence} {found.hint}".strip() for found in node_obstacles(product)]


def test_a_machine_that_meets_the_requirements_has_no_obstacles(product: ProductNode) -> None:
    assert sentences(product) == []
    assert not product.folder.root.exists()


def test_without_root_the_local_cluster_is_named(product: ProductNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(platform, "system", lambda: "Linux")

    assert sentences(product) == [
        "problem: A node needs root for namespaces and mounts, this is user 1000: run this as root."
        " Run ./setup.sh --cluster local for simulated containers."
    ]


def test_missing_packages_are_installed_where_apt_is(product: ProductNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "missing_packages", lambda: ["no-such-package"])
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/apt-get")

    assert sentences(product) == ["note: These Debian packages will be installed: no-such-package."]


def test_missing_packages_are_a_problem_elsewhere(product: ProductNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "missing_packages", lambda: ["no-such-package"])
    monkeypatch.setattr(shutil, "which", lambda name: None)

    assert sentences(product) == [
        "problem: These programs' packages are missing: no-such-package."
        " Install them with this machine's package manager, and run this again."
    ]


def test_refused_namespaces_are_reported(product: ProductNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "namespace_obstacle", lambda: "unshare failed: Operation not permitted")

    [found] = sentences(product)

    assert found.startswith("problem: unshare failed: Operation not permitted Use a virtual machine")


def test_a_small_disk_is_reported_with_the_variables_that_move_the_data(
    product: ProductNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obstacles, "CACHE_BYTES", 1 << 60)

    [found] = sentences(product)

    assert found.startswith("problem: The first start needs 1073741824 GiB at ")
    assert "URUMI_CACHE_DIR" in found


def test_little_memory_is_a_note(product: ProductNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obstacles, "MEMORY_BYTES", 1 << 60)

    [found] = sentences(product)

    assert found.startswith("note: ")
