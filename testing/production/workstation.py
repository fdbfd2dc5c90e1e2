"""The operator's machine: a shell in the node's network, where the public names lead to the ingress controller.

It has the cluster's kubeconfig, kubectl, Helm, `urumi`, and the tests' certificate authority. The rest is this
machine's.
"""

import os
import pty
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cluster.node import layout
from cluster.node.node import Node

RUN_SECONDS = 600.0
NO_CHANGES: Mapping[str, str] = {}
MOUNT_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"'


class Workstation:
    """Runs commands as the operator does."""

    def __init__(self, node: Node, folder: Path, authority: Path, hosts: Iterable[str]) -> None:
        self.folder = folder
        self._node = node
        self._hosts = folder / "hosts"
        names = "".join(f"{layout.NODE_ADDRESS} {host}\n" for host in hosts)
        self._hosts.write_text(f"127.0.0.1 localhost\n{names}")
        programs = folder / "bin"
        programs.mkdir()
        cluster = node.cluster
        for name, path in (("kubectl", cluster.kubectl), ("helm", cluster.helm)):
            (programs / name).symlink_to(path)
        self.environ = {
            **os.environ,
            "PATH": os.pathsep.join((str(programs), str(Path(sys.executable).parent), os.environ["PATH"])),
            "KUBECONFIG": str(cluster.kubeconfig),
            "SSL_CERT_FILE": str(authority),
            "URUMI_STATE_DIR": str(folder / "state"),
        }

    def run(self, commands: str, *, folder: Path | None = None, environ: Mapping[str, str] = NO_CHANGES) -> str:
        """Run commands of a shell and return their output; the test fails with it if one of them fails."""
        done = self.attempt(commands, folder=folder, environ=environ)
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout

    def attempt(
        self, commands: str, *, folder: Path | None = None, environ: Mapping[str, str] = NO_CHANGES
    ) -> "subprocess.CompletedProcess[str]":
        """Run commands of a shell, in the operator's folder unless another is given."""
        return self._run(commands, folder or self.folder, environ, subprocess.DEVNULL)

    def run_outside(self, command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> str:
        """Run a command with this machine's network, in which package registries are."""
        done = self._execute(command, folder, {**os.environ, **environ}, subprocess.DEVNULL)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr[-3000:]}"
        return done.stdout

    def confirm(self, commands: str, folder: Path, answer: str) -> str:
        """Run commands on a terminal, type an answer, and return the output."""
        ours, theirs = pty.openpty()
        os.write(ours, f"{answer}\n".encode())
        try:
            done = self._run(commands, folder, {}, theirs)
        finally:
            os.close(ours)
            os.close(theirs)
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _run(
        self, commands: str, folder: Path, environ: Mapping[str, str], stdin: int
    ) -> "subprocess.CompletedProcess[str]":
        shell = ("bash", "-euo", "pipefail", "-c", commands)
        inside = self._node.in_network("sh", "-c", MOUNT_HOSTS, str(self._hosts), *shell)
        return self._execute(inside, folder, {**self.environ, **environ}, stdin)

    @staticmethod
    def _execute(
        command: Sequence[str], folder: Path, environ: Mapping[str, str], stdin: int
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=folder,
            env=environ,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
