"""The Python environment in .venv. Uses the standard library only, because it runs before the environment exists.

The stamp is written last, so an interrupted installation is repeated by the next run.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from cluster.errors import SetupError
from cluster.network import network_advice
from cluster.place import Console
from cluster.setup.apt import apt_install

MINIMUM = (3, 11)
NEEDED_BYTES = 800_000_000  # with its developer tools it is about 420 MB, pip's cache comes on top
LOG_LINES = 5

# What is installed: the packages that Urumi needs, or also those of its developers.
Extra = Literal["run", "dev"]


class Environment:
    """The environment of a checkout."""

    def __init__(self, root: Path, console: Console, base_python: Path | None = None) -> None:
        self._root = root
        self._console = console
        self._base_python = base_python or _base_python()
        self._folder = root / ".venv"
        self._stamp = self._folder / "urumi-installed"
        self._log = self._folder / "urumi-install.log"
        self.python = self._folder / "bin" / "python"

    def is_usable(self) -> bool:
        """Return whether it can be used.

        In a moved checkout the Python still runs, but the installed programs point to the old path.
        """
        try:
            is_here = str(self.python) in (self._folder / "bin" / "pip").read_text()
            check = [str(self.python), "-c", _VERSION_CHECK]
            return is_here and subprocess.run(check, capture_output=True, check=False).returncode == 0
        except (OSError, UnicodeDecodeError):
            return False

    def is_installed(self, extra: Extra) -> bool:
        """Return whether it has everything; the developers' environment contains the plain one."""
        try:
            stamp = self._stamp.read_text()
        except OSError:
            return False
        return stamp in {self._stamp_for(extra), self._stamp_for("dev")} and self.is_usable()

    def ensure(self, extra: Extra) -> None:
        """Create the environment, or install what is missing or has changed.

        Raises:
            SetupError: it could not be created or installed; states why.
        """
        if self.is_installed(extra):
            self._console.say("      .venv is up to date.")
            return
        self._check_disk()
        if not self.is_usable():
            self._create(extra)
        self._stamp.unlink(missing_ok=True)
        self._install("." if extra == "run" else f".[{extra}]")
        self._stamp.write_text(self._stamp_for(extra))
        self._console.say("      .venv is ready.")

    def _stamp_for(self, extra: Extra) -> str:
        return f"{hashlib.sha256((self._root / 'pyproject.toml').read_bytes()).hexdigest()} {extra}\n"

    def _check_disk(self) -> None:
        free = shutil.disk_usage(self._root).free
        if free < NEEDED_BYTES:
            raise SetupError(
                f"Not enough disk space: the environment needs {NEEDED_BYTES // 10**6} MB in {self._root};"
                f" {free // 10**6} MB are free."
            )

    def _create(self, extra: Extra) -> None:
        if self._run("-c", "import ensurepip, venv").returncode != 0:
            if extra != "dev":
                raise SetupError(
                    f"{self._base_python} cannot create environments: its venv package is missing.",
                    hint="Install it (Debian, Ubuntu: apt-get install python3-venv) and run this again.",
                )
            apt_install(self._console, "Python's venv package", ["python3-venv"])
        done = self._run("-m", "venv", "--clear", str(self._folder))
        if done.returncode != 0:
            reason = (done.stdout.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
            raise SetupError(f"{self._base_python} could not create .venv: {reason}")

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self._base_python, *arguments],
            cwd=self._root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def _install(self, what: str) -> None:
        pip = [
            str(self.python),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--editable",
            what,
        ]
        with self._log.open("w") as log, self._console.ticker():
            done = subprocess.run(
                pip, cwd=self._root, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False
            )
        if done.returncode != 0:
            raise self._explained(self._log.read_text(errors="replace"))

    def _explained(self, output: str) -> SetupError:
        if "No space left on device" in output:
            return SetupError(
                f"The disk is full: pip could not install into {self._folder}.",
                hint="Free some space and run this again.",
            )
        advice = network_advice(output)
        if advice:
            return SetupError("pip cannot reach the package index.", hint=f"{advice} The log: {self._log}")
        lines = "\n".join(f"      {line}" for line in output.splitlines()[-LOG_LINES:])
        return SetupError(f"pip could not install Urumi. The end of {self._log}:\n{lines}")


_VERSION_CHECK = f"import sys; sys.exit(sys.version_info < {MINIMUM})"


def _base_python() -> Path:
    """Return a Python outside of .venv: this one, or the one from which its environment was created."""
    base: str = getattr(sys, "_base_executable", "") or sys.executable
    return Path(base)
