"""Where no node can run, the report says why in one sentence."""

import sys
from pathlib import Path

import pytest

from testing.node import host
from testing.node.errors import NodeError


def test_another_system_is_told_what_to_do() -> None:
    assert host.obstacle(system="Darwin") == (
        "A node needs Linux, this is Darwin: run these tests in a Linux virtual machine."
    )


def test_a_plain_user_is_told_what_to_do() -> None:
    words = host.obstacle(system="Linux", user=1000)
    assert words == "A node needs root for namespaces and mounts, this is user 1000: run these tests as root."


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "PACKAGES", {"no-such-program": "no-such-package"})
    expected = "A node needs Debian packages that are missing: apt-get install no-such-package"
    assert host.obstacle(system="Linux", user=0) == expected


def test_a_busybox_that_needs_libraries_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(host, "PACKAGES", {"busybox": "busybox-static"})
    monkeypatch.setattr(host, "SEARCH", str(tmp_path))
    assert host.missing_packages() == ["busybox-static"]
    (tmp_path / "busybox").symlink_to(sys.executable)
    assert host.missing_packages() == ["busybox-static"]
    (tmp_path / "busybox").unlink()
    (tmp_path / "busybox").write_bytes(b"\x7fELF, and all it needs")
    (tmp_path / "busybox").chmod(0o755)
    assert host.missing_packages() == []


def test_a_command_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(NodeError, match=r"sh -c .* ended with 3:\nno such bridge"):
        host.run("sh", "-c", "echo no such bridge >&2; exit 3")
