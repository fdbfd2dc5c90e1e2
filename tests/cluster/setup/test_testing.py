"""What `./setup.sh test` installs before it becomes pytest, and the options that it adds."""

import os
import shutil
from pathlib import Path

import pytest

from cluster.errors import SetupError
from cluster.setup import testing
from cluster.setup.testing import missing_packages, run_tests
from tests.cluster.place import make_place

EVERYTHING = {program for need in (*testing.ALWAYS, *testing.AS_ROOT, *testing.LAST) for program in need.programs}


class Machine:
    """Which programs are on PATH, what is installed, and how pytest is started."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.programs = set(EVERYTHING)
        self.installed: list[tuple[str, ...]] = []
        self.pytest: list[str] = []
        self.missing: dict[str, list[str]] = {}
        self.is_root = True
        monkeypatch.setattr(shutil, "which", lambda name: name if name in self.programs or name == "apt-get" else None)
        monkeypatch.setattr(os, "geteuid", lambda: 0 if self.is_root else 1000)
        monkeypatch.setattr(testing, "become", self.become)
        monkeypatch.setattr(testing, "apt_install", lambda _, what, packages: self.installed.append(tuple(packages)))
        monkeypatch.setattr(testing, "missing_packages", lambda _, module: self.missing.get(module, []))
        monkeypatch.setattr(testing, "ensure_programs", lambda say: None)

    def become(self, program: Path, *arguments: str) -> int:
        """Keep how pytest would be started."""
        assert arguments[:2] == ("-m", "pytest")
        self.pytest = list(arguments[2:])
        return 0

    def test(self, *arguments: str) -> list[str]:
        """Run `./setup.sh test` and return the arguments of pytest."""
        run_tests(make_place(self.folder), arguments)
        return self.pytest


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_on_an_empty_machine_everything_is_installed(machine: Machine) -> None:
    machine.programs.clear()
    machine.test()
    assert machine.installed == [
        ("chromium",),
        ("tmux",),
        ("php-cli", "php-mysql", "php-zip"),
        ("mariadb-server-core", "mariadb-client-core"),
        ("postgresql",),
        ("redis-server",),
        ("nginx", "openssl"),
        ("busybox-static", "gawk", "mawk"),
        ("zsh", "fish"),
        ("npm",),
    ]


def test_without_root_only_what_no_run_can_do_without_is_installed(machine: Machine) -> None:
    machine.programs.clear()
    machine.is_root = False
    machine.test()
    assert machine.installed == [("chromium",), ("tmux",), ("npm",)]


@pytest.mark.parametrize("missing", ["chromium", "initdb"])
def test_one_of_several_browsers_or_programs_is_enough(machine: Machine, missing: str) -> None:
    machine.programs.remove(missing)
    machine.test()
    assert machine.installed == []


def test_each_of_several_tools_is_needed(machine: Machine) -> None:
    machine.programs.remove("gawk")
    machine.test()
    assert machine.installed == [("busybox-static", "gawk", "mawk")]


@pytest.mark.parametrize(("option", "module"), list(testing.MACHINES.items()))
def test_tests_on_a_whole_machine_get_what_they_need(machine: Machine, option: str, module: str) -> None:
    machine.missing = {module: ["runc", "nftables"]}
    machine.test()
    assert machine.installed == []
    machine.test(option)
    assert machine.pytest[-1] == option
    assert machine.installed == [("runc", "nftables")]


@pytest.mark.parametrize("arguments", [(), ("--all",)], ids=["default", "all"])
def test_a_whole_tier_runs_in_parallel(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.delenv("URUMI_TEST_PROCESSES", raising=False)
    parallel = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "20"]
    assert machine.test(*arguments) == [*arguments, *parallel]


def test_the_number_of_processes_can_be_set(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URUMI_TEST_PROCESSES", "8")
    assert machine.test()[:2] == ["-n", "8"]


def test_other_arguments_reach_pytest_as_they_are(machine: Machine) -> None:
    assert machine.test("tests/urumi", "-k", "a or b") == ["tests/urumi", "-k", "a or b"]


def test_the_packages_of_a_node_are_listed_by_the_node(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    (place.root / "here").mkdir(parents=True)
    (place.root / "here" / "host.py").write_text("def missing_packages():\n    return ['runc', 'nftables']\n")
    assert missing_packages(place, "here.host") == ["runc", "nftables"]
    with pytest.raises(SetupError, match=r"see the message of here\.nothing above"):
        missing_packages(place, "here.nothing")
