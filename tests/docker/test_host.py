"""If no Docker engine can run, the report states the cause in one sentence; a missing capability is no cause."""

from pathlib import Path

import pytest

from testing.docker import host
from testing.docker.runtime import missing_capabilities, without


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "PACKAGES", {"no-such-program": "no-such-package"})
    assert "no-such-package" in host.missing_packages()
    assert host.obstacle().startswith("The Docker engine needs Debian packages that are missing: apt-get install ")


def test_capabilities_that_the_machine_lacks_are_found_in_the_bounding_set(tmp_path: Path) -> None:
    assert missing_capabilities("Name:\tcat\nCapBnd:\t000001fffeffffff\n") == {"CAP_SYS_RESOURCE"}
    assert missing_capabilities("CapBnd:\t000001ffffffffff\n") == set()


def test_a_container_is_started_without_the_capabilities_that_the_machine_lacks() -> None:
    process = {"args": ["sh"], "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "ambient": []}}
    assert without(process, {"CAP_SYS_RESOURCE"}) == {
        "args": ["sh"],
        "capabilities": {"bounding": ["CAP_CHOWN"], "ambient": []},
    }
    assert without({"args": ["sh"]}, {"CAP_SYS_RESOURCE"}) == {"args": ["sh"], "capabilities": {}}
