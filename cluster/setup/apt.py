"""Installs Debian packages, as root or with a sudo that does not ask. Uses the standard library only."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from cluster.errors import SetupError
from cluster.place import Console

# At runlevel 1 Debian does not start the servers that it installs. sudo drops variables, so env sets them.
ENVIRON = ("env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
# Another apt-get may run: that of the system's own upgrades, or one that was interrupted a moment ago.
INSTALL = ("apt-get", "install", "-qq", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=60")


def apt_install(console: Console, what: str, packages: Sequence[str]) -> None:
    """Install packages.

    Raises:
        SetupError: there is no apt-get, it needs root, or it failed; says what to install.
    """
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise SetupError(f"{what} is missing.", hint=f"Install it ({names}) and run this again.")
    sudo: tuple[str, ...] = ()
    if os.geteuid() != 0:
        if not _succeeds("sudo", "-n", "true"):
            raise SetupError(f"{what} is missing and installing it needs root: sudo apt-get install {names}")
        sudo = ("sudo", "-n")
    console.say(f"      Installing {what} with apt-get, usually under a minute.")
    with console.ticker():
        for command in (*_repair(), ("apt-get", "update", "-qq"), (*INSTALL, *packages)):
            done = subprocess.run(
                [*sudo, *ENVIRON, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                reason = (done.stdout.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
                raise SetupError(f"apt-get could not install {names}: {reason}")


def _repair() -> list[tuple[str, ...]]:
    """Return the command that completes an interrupted installation, nothing if there was none."""
    try:
        audit = subprocess.run(["dpkg", "--audit"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return []
    return [("dpkg", "--configure", "-a")] if audit.strip() else []


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
