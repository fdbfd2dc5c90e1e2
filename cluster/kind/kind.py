"""The program kind: the one on PATH if it has the pinned version, otherwise built from go.mod.

Each version of kind has its own node images, so no other version is used.
"""

import shutil
import subprocess
from pathlib import Path

from cluster.errors import KindError
from cluster.folders import cache_root
from cluster.kind.docker import Docker
from cluster.kind.node import CLUSTER, NODE, Files
from cluster.place import Console
from cluster.programs.binaries import Recipe, ensure_binaries

MODULE = Path(__file__).resolve().parent


class Kind:
    """Calls of kind for the cluster of one state folder."""

    def __init__(self, program: Path, docker: Docker, files: Files) -> None:
        self._program = program
        self._docker = docker
        self._files = files

    def create(self, config: str) -> None:
        """Create the cluster; an interrupted creation leaves the configuration without a kubeconfig.

        Raises:
            KindError: kind failed; its message is on the terminal.
        """
        self._files.config.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._files.config.write_text(config)
        if not self._passes("create", "cluster", "--config", str(self._files.config), "--wait", "180s"):
            raise KindError(
                "kind could not create the cluster: see its message above.",
                hint="Use the local cluster if you can do without Docker: ./setup.sh --cluster local",
            )

    def export_kubeconfig(self) -> None:
        """Write the kubeconfig again, because the address of the API server may have changed.

        Raises:
            KindError: kind does not know the cluster.
        """
        if self._quietly("export", "kubeconfig", "--kubeconfig", str(self._files.kubeconfig)).returncode != 0:
            raise KindError(
                f"kind has no cluster {CLUSTER}, but its node exists.",
                hint="Delete it with ./setup.sh down --purge, then run this again.",
            )

    def load(self, reference: str) -> None:
        """Copy an image into the node, unless it is there.

        Raises:
            KindError: kind could not do it.
        """
        if self._quietly("load", "docker-image", reference).returncode != 0:
            again = f"{self._program} load docker-image --name {CLUSTER} {reference}"
            raise KindError(f"kind could not load {reference}.", hint=f"To see why, run: {again}")

    def delete(self) -> None:
        """Delete the cluster with its data.

        Raises:
            KindError: kind failed; its message is on the terminal.
        """
        if not self._passes("delete", "cluster"):
            raise KindError(
                "kind could not delete the cluster: see its message above.",
                hint=f"Delete its node: docker rm --force --volumes {NODE}",
            )
        self._files.delete()

    def _passes(self, *words: str) -> bool:
        return self._run([*words, "--kubeconfig", str(self._files.kubeconfig)], quietly=False).returncode == 0

    def _quietly(self, *words: str) -> "subprocess.CompletedProcess[bytes]":
        return self._run([*words], quietly=True)

    def _run(self, words: list[str], quietly: bool) -> "subprocess.CompletedProcess[bytes]":
        output = subprocess.DEVNULL if quietly else None
        return subprocess.run(
            [self._program, *words[:2], "--name", CLUSTER, *words[2:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=self._docker.environ(),
            check=False,
        )


def find_kind(console: Console) -> Path:
    """Return the path of kind, which is built if necessary.

    Raises:
        BuildError: it could not be built.
    """
    recipe = Recipe.read(MODULE)
    [program] = recipe.programs
    found = shutil.which("kind")
    if found and _version(found) == f"kind version {program.version.removeprefix('v')}":
        return Path(found)

    def say(text: str) -> None:
        console.say(f"      {text}")

    return ensure_binaries(cache_root(), lambda build: say(build.sentence()), say, recipe).path("kind")


def _version(program: str) -> str:
    """Return what a program reports as its version; nothing if it does not run, such as one for other processors."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
