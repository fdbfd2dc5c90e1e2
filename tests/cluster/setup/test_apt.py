"""Installing Debian packages: as root, with sudo, or not at all, with a message that says what to install."""

import os
from pathlib import Path

import pytest

from cluster.errors import SetupError
from cluster.setup.apt import apt_install
from tests.cluster.place import Transcript

APT = '#!/bin/sh\necho "$DEBIAN_FRONTEND $RUNLEVEL apt-get $*" >>"$CALLS"\necho "$APT_SAYS"\nexit ${APT_CODE:-0}\n'
SUDO = '#!/bin/sh\n[ "$2" = true ] && exit ${SUDO_CODE:-0}\nshift\nexec env -u DEBIAN_FRONTEND "$@"\n'
DPKG = '#!/bin/sh\n[ "$1" = --audit ] && echo "$AUDIT" && exit\necho "dpkg $*" >>"$CALLS"\n'


class Machine:
    """A PATH with substitutes, and what they were called with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "bin"
        self._folder.mkdir()
        self.calls_file = folder / "calls"
        self.calls_file.touch()

    def has(self, name: str, text: str) -> None:
        """Put a program on PATH."""
        (self._folder / name).write_text(text)
        (self._folder / name).chmod(0o755)

    def calls(self) -> list[str]:
        """Return the calls that change something."""
        return self.calls_file.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(made.calls_file))
    made.has("dpkg", DPKG)
    made.has("sudo", SUDO)
    return made


def install() -> None:
    """Install two packages."""
    apt_install(Transcript(), "PHP", ["php-cli", "php-zip"])


def sentence() -> str:
    """Return why they could not be installed."""
    with pytest.raises(SetupError) as caught:
        install()
    return caught.value.sentence()


INSTALLED = [
    "noninteractive 1 apt-get update -qq",
    "noninteractive 1 apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=60 php-cli php-zip",
]


@pytest.mark.parametrize("user", [0, 1000], ids=["root", "sudo"])
def test_no_question_is_asked_and_no_server_started(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    machine.has("apt-get", APT)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    install()
    assert machine.calls() == INSTALLED


def test_an_interrupted_installation_is_completed_first(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("apt-get", APT)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("AUDIT", "The following packages are only half configured: php-cli")
    install()
    assert machine.calls() == ["dpkg --configure -a", *INSTALLED]


def test_without_root_the_command_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("apt-get", APT)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("SUDO_CODE", "1")
    assert sentence() == "PHP is missing and installing it needs root: sudo apt-get install php-cli php-zip"
    assert machine.calls() == []


def test_without_apt_get_the_packages_are_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert sentence() == "PHP is missing. Install it (php-cli php-zip) and run this again."


def test_a_failure_of_apt_get_is_quoted(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("apt-get", APT)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("APT_CODE", "100")
    monkeypatch.setenv("APT_SAYS", "E: Unable to fetch some archives")
    assert sentence() == "apt-get could not install php-cli php-zip: E: Unable to fetch some archives"
