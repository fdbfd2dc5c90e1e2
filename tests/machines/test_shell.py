"""The project's shell scripts run in every shell that is /bin/sh somewhere, and use no tool that a system lacks."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machines.shell import ROOT, complaints, scripts

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
SHELLS = (("dash",), ("busybox", "sh"), ("bash", "--posix"), ("zsh", "--emulate", "sh"))
SCRIPTS = pytest.mark.parametrize("script", scripts(), ids=lambda path: str(path.relative_to(ROOT)))


def test_the_scripts_are_found() -> None:
    names = {str(path.relative_to(ROOT)) for path in scripts()}
    assert {"setup.sh", "scripts/check", "scripts/lock", ".ci/run"} <= names


@SCRIPTS
def test_a_script_is_for_sh_and_uses_only_what_every_system_has(script: Path) -> None:
    text = script.read_text()
    assert text.startswith("#!/bin/sh\n")
    assert [str(complaint) for complaint in complaints(text)] == []


@SCRIPTS
def test_shellcheck_finds_nothing_that_only_some_shells_have(script: Path) -> None:
    done = subprocess.run(
        [SHELLCHECK, "--shell=sh", "-x", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stdout == ""


@SCRIPTS
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_shell_can_read_it(script: Path, shell: tuple[str, ...]) -> None:
    program = shutil.which(shell[0])
    if program is None:
        pytest.skip(f"{shell[0]} is not installed")
    done = subprocess.run([program, *shell[1:], "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_help_is_printed_in_every_shell(shell: tuple[str, ...]) -> None:
    program = shutil.which(shell[0])
    if program is None:
        pytest.skip(f"{shell[0]} is not installed")
    done = subprocess.run(
        [program, *shell[1:], "./setup.sh", "help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ./setup.sh")


@pytest.mark.parametrize(
    "line",
    [
        "sed -i s/a/b/ file",
        "sed -nr p file",
        "grep -oP 'a' file",
        'here=$(readlink -f "$0")',
        "date -d yesterday",
        "stat -c %s file",
        "find . -type f | xargs -r rm",
        "sort -V",
        "head -n -1",
        "find . -printf '%p'",
        "timeout 10 docker info",
        "setsid nohup x &",
        "echo -n x",
        "exec 3<>/dev/tcp/127.0.0.1/1",
        "cat /proc/meminfo",
        "mapfile -t lines",
        "x=${name,,}",
        "[[ -n $x ]]",
        "a=(1 2)\nfor b in ${a[@]}; do :; done",
        "grep --quiet a file",
        "ls | head --lines=1",
        "x=$'a\\n'",
        "set -o pipefail",
        'cd "${BASH_SOURCE[0]}"',
    ],
)
def test_what_some_system_lacks_is_found(line: str) -> None:
    assert complaints(f"#!/bin/sh\n{line}\n") != []


@pytest.mark.parametrize(
    "line",
    [
        "# sed -i is not portable",
        "sed 's/-i/x/' file >other",
        'printf "%s\\n" "$1"',
        "python -m pip install --quiet uv",
        '"$python" -m pytest --fast | tail -n 1',
        "x=$((1 + 2))",
        "cat <<EOF\ngrep --help\nEOF",
        "command -v python3 >/dev/null 2>&1 || exit 1",
    ],
)
def test_what_every_system_has_is_left_alone(line: str) -> None:
    assert [str(each) for each in complaints(f"#!/bin/sh\n{line}\n")] == []
