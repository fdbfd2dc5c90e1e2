"""`./setup.sh test`: installs what the tests need, then runs pytest."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cluster.command import ensure_programs
from cluster.errors import SetupError
from cluster.place import Place
from cluster.setup.apt import apt_install
from cluster.setup.guard import become

PROCESSES = "3"


@dataclass(frozen=True, slots=True)
class Need:
    """Programs, and the Debian packages that bring them. `is_any`: one of the programs is enough."""

    what: str
    programs: tuple[str, ...]
    packages: tuple[str, ...]
    is_any: bool = False

    def is_met(self) -> bool:
        """Return whether the programs are on PATH."""
        return (any if self.is_any else all)(shutil.which(program) is not None for program in self.programs)


ALWAYS = (
    Need("Chromium", ("chromium", "chromium-browser", "google-chrome"), ("chromium",), is_any=True),
    Need("tmux", ("tmux",), ("tmux",)),
)
# Without these, the tests of the shops fail with the name of the missing program.
AS_ROOT = (
    Need("PHP", ("php",), ("php-cli", "php-mysql", "php-zip")),
    Need("MariaDB", ("mariadbd",), ("mariadb-server-core", "mariadb-client-core")),
    # Debian keeps PostgreSQL's programs off PATH; pg_ctlcluster is installed with them.
    Need("PostgreSQL", ("initdb", "pg_ctlcluster"), ("postgresql",), is_any=True),
    Need("Redis", ("redis-server",), ("redis-server",)),
    Need("nginx and certificates for it", ("nginx", "openssl"), ("nginx", "openssl")),
    Need("Alpine's tools and both awks", ("busybox", "gawk", "mawk"), ("busybox-static", "gawk", "mawk")),
    Need("zsh and fish", ("zsh", "fish"), ("zsh", "fish")),
)
LAST = (Need("npm, which brings axe-core,", ("npm",), ("npm",)),)
# Tests that need a whole machine, and the module that lists the packages for it.
MACHINES = {"--node": "testing.node.host", "--docker": "testing.docker.host"}


def run_tests(place: Place, arguments: Sequence[str]) -> int:
    """Install what the tests need and become pytest.

    Raises:
        ClusterError: something is missing and could not be installed.
    """
    place.console.say("[2/3] What the tests drive: a browser, a terminal, a Kubernetes.")
    for need in _needs():
        if not need.is_met():
            apt_install(place.console, need.what, need.packages)
    for option, module in MACHINES.items():
        if option in arguments and (missing := missing_packages(place, module)):
            apt_install(place.console, f"What the tests with {option} need", missing)
    ensure_programs(lambda text: place.console.say(f"      {text}"))
    place.console.say("[3/3] The tests: up to 10 minutes, with --all up to 20.")
    return become(place.python, "-m", "pytest", *arguments, *_parallel(arguments))


def missing_packages(place: Place, module: str) -> list[str]:
    """Return the Debian packages that a module of the tests lists as missing.

    Raises:
        SetupError: it could not be asked.
    """
    return ask_module(place, module, "*missing_packages()").split()


def ask_module(place: Place, module: str, expression: str) -> str:
    """Return what an expression of a module prints. `cluster` imports nothing of the tests, so it is a process.

    Raises:
        SetupError: the module could not be asked.
    """
    name = expression.strip("*()")
    code = f"from {module} import {name}; print({expression})"
    done = subprocess.run([place.python, "-c", code], cwd=place.root, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(f"The check of what the tests need failed: see the message of {module} above.")
    return done.stdout.strip()


def _needs() -> Iterator[Need]:
    yield from ALWAYS
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        yield from AS_ROOT
    yield from LAST


def _parallel(arguments: Sequence[str]) -> list[str]:
    # Whole tiers run in three processes, each with its own cluster: the tests mostly wait, so two processors are
    # enough. Files stay together, because their tests share servers. Other arguments run in one process.
    if list(arguments) not in ([], ["--all"]):
        return []
    processes = os.environ.get("URUMI_TEST_PROCESSES") or PROCESSES
    return ["-n", processes, "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "20"]
