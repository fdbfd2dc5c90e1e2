"""The environment in .venv: what is installed, repeated and skipped, and the messages when that fails."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.errors import SetupError
from cluster.setup import environment
from cluster.setup.environment import Environment
from tests.cluster.place import Transcript

# Creates environments whose Python only records what pip installs.
PYTHON = """\
#!/bin/sh
case "$*" in
    *ensurepip*) exit ${NO_VENV:-0} ;;
    "-m venv --clear "*)
        [ -z "${VENV_SAYS:-}" ] || { echo "$VENV_SAYS"; exit 1; }
        rm -rf "$4"
        mkdir -p "$4/bin"
        echo '#!/bin/sh
            [ "$1" = -c ] && exit
            echo "$*" >>"$PIP_CALLS"
            echo "$PIP_SAYS"
            exit ${PIP_CODE:-0}' >"$4/bin/python"
        chmod +x "$4/bin/python"
        echo "#!$4/bin/python" >"$4/bin/pip"
        ;;
esac
"""


class Machine:
    """A checkout with a Python that creates substitutes for environments."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "check out"
        self.root.mkdir()
        (self.root / "pyproject.toml").write_text("[project]\n")
        self.python = folder / "python3"
        self.python.write_text(PYTHON)
        self.python.chmod(0o755)
        self.calls = folder / "calls"
        self.calls.touch()
        self.console = Transcript()

    def ensure(self, extra: environment.Extra = "run") -> None:
        """Run it as setup.sh does."""
        Environment(self.root, self.console, self.python).ensure(extra)

    def installed(self) -> list[str]:
        """Return what pip was asked to install since the last query."""
        found = [line.rpartition(" ")[2] for line in self.calls.read_text().splitlines()]
        self.calls.write_text("")
        return found


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("PIP_CALLS", str(made.calls))
    return made


def refused(call: Callable[[], None]) -> str:
    """Return the message of a failure."""
    with pytest.raises(SetupError) as caught:
        call()
    return caught.value.sentence()


def test_the_second_run_installs_nothing(machine: Machine) -> None:
    machine.ensure()
    machine.ensure()
    assert machine.installed() == ["."]
    assert machine.console.lines == ["      .venv is ready.", "      .venv is up to date."]


def test_changed_dependencies_are_installed(machine: Machine) -> None:
    machine.ensure("dev")
    (machine.root / "pyproject.toml").write_text("[project] # changed\n")
    machine.ensure("dev")
    assert machine.installed() == [".[dev]", ".[dev]"]


def test_a_development_environment_is_used_for_every_command(machine: Machine) -> None:
    machine.ensure("dev")
    machine.ensure("run")
    assert machine.installed() == [".[dev]"]


def test_a_plain_environment_becomes_a_development_environment(machine: Machine) -> None:
    machine.ensure("run")
    machine.ensure("dev")
    assert machine.installed() == [".", ".[dev]"]


def test_a_moved_checkout_gets_a_new_environment(machine: Machine) -> None:
    machine.ensure()
    moved = machine.root.with_name("moved")
    machine.root.rename(moved)
    machine.root = moved
    machine.ensure()
    assert str(moved) in (moved / ".venv" / "bin" / "pip").read_text()
    assert machine.installed() == [".", "."]


def test_a_failed_installation_is_repeated(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as failing:
        failing.setenv("PIP_CODE", "1")
        refused(machine.ensure)
    machine.ensure()
    assert machine.installed() == [".", "."]


def test_an_installation_that_was_interrupted_is_repeated(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.ensure()
    (machine.root / "pyproject.toml").write_text("[project] # changed\n")
    with monkeypatch.context() as interrupted:
        interrupted.setattr(Environment, "_install", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            machine.ensure()
    (machine.root / "pyproject.toml").write_text("[project]\n")
    machine.ensure()
    assert machine.installed() == [".", "."]


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_environment_without_programs_is_created_again(machine: Machine) -> None:
    (machine.root / ".venv" / "bin").mkdir(parents=True)
    (machine.root / ".venv" / "bin" / "python").touch()
    machine.ensure()
    assert machine.installed() == ["."]


def test_a_full_disk_is_reported_before_anything_is_written(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(machine.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=5_000_000))
    words = refused(machine.ensure)
    assert words == f"Not enough disk space: the environment needs 800 MB in {machine.root}; 5 MB are free."
    assert not (machine.root / ".venv").exists()


def test_a_missing_venv_package_is_reported(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_VENV", "1")
    assert refused(machine.ensure) == (
        f"{machine.python} cannot create environments: its venv package is missing."
        " Install it (Debian, Ubuntu: apt-get install python3-venv) and run this again."
    )


def test_developers_get_the_venv_package(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[list[str]] = []
    monkeypatch.setenv("NO_VENV", "1")
    monkeypatch.setattr(environment, "apt_install", lambda console, what, packages: installed.append(packages))
    machine.ensure("dev")
    assert installed == [["python3-venv"]]


def test_a_python_that_cannot_create_an_environment_is_quoted(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENV_SAYS", "Error: Read-only file system")
    assert refused(machine.ensure) == f"{machine.python} could not create .venv: Error: Read-only file system"


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full: pip could not install into"),
        ("connection broken by NewConnectionError", "pip cannot reach the package index. Check "),
        ("connection broken by ProxyError('Cannot connect')", "pip cannot reach the package index. Check "),
        ("ERROR: something else", "pip could not install Urumi. The end of"),
    ],
)
def test_a_failed_installation_is_explained(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, says: str, words: str
) -> None:
    monkeypatch.setenv("PIP_CODE", "1")
    monkeypatch.setenv("PIP_SAYS", says)
    sentence = refused(machine.ensure)
    assert sentence.startswith(words)
    assert (says in sentence) is says.startswith("ERROR")
