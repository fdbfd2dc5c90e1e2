"""If no node can run, the report states the cause in one sentence."""

import sys
from pathlib import Path

import pytest

from cluster.node import host
from cluster.node.errors import NodeError


def test_another_operating_system_is_reported_with_a_hint() -> None:
    expected = "A node needs Linux, this is Darwin: use a virtual machine with Linux."
    assert host.platform_obstacle("Darwin", 0) == expected


def test_an_unprivileged_user_is_reported_with_a_hint() -> None:
    expected = "A node needs root for namespaces and mounts, this is user 1000: run this as root."
    assert host.platform_obstacle("Linux", 1000) == expected


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "PACKAGES", {"no-such-program": "no-such-package"})
    monkeypatch.setattr(host, "platform_obstacle", lambda system, user: "")
    expected = "A node needs Debian packages that are missing: apt-get install no-such-package"
    assert host.obstacle() == expected


def test_a_dynamically_linked_busybox_counts_as_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(host, "PACKAGES", {"busybox": "busybox-static"})
    monkeypatch.setattr(host, "SEARCH", str(tmp_path))
    assert host.missing_packages() == ["busybox-static"]
    (tmp_path / "busybox").symlink_to(sys.executable)
    assert host.missing_packages() == ["busybox-static"]
    (tmp_path / "busybox").unlink()
    (tmp_path / "busybox").write_bytes(b"\x7fELF, and all it needs")
    (tmp_path / "busybox").chmod(0o755)
    assert host.missing_packages() == []


def test_a_failed_command_is_reported_with_the_end_of_its_output() -> None:
    with pytest.raises(NodeError, match=r"sh -c .* ended with 3:\nno such bridge"):
        host.run("sh", "-c", "echo no such bridge >&2; exit 3")
