"""kubectl and Helm for one cluster: those on PATH if both are usable, otherwise those of cluster/go.mod.

A call that may fail is `attempt`ed: its output and its messages are kept. A call whose failure ends the run `passes` or
not: its messages go to the terminal, where the error that follows refers to them.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.errors import PlatformError
from cluster.folders import cache_root
from cluster.programs.binaries import Recipe, ensure_binaries

CALL_SECONDS = 300.0
CHECK_SECONDS = 20.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tool:
    """A program with the options that select a cluster, run in the folder of the checkout."""

    command: tuple[str, ...]
    folder: Path

    def attempt(self, *words: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run it and return the exit code with everything that it printed."""
        return self._run(words, given, keeps_messages=True)

    def passes(self, *words: str, given: str | None = None) -> bool:
        """Run it with its messages on the terminal, and return whether it succeeded."""
        return self._run(words, given, keeps_messages=False).returncode == 0

    def output(self, *words: str) -> str:
        """Return what it printed, nothing if it failed."""
        done = self.attempt(*words)
        return done.stdout.strip() if done.returncode == 0 else ""

    def items(self, *words: str) -> list[Any] | None:
        """Return the objects that `kubectl get` lists; None if they cannot be listed."""
        text = self.output("get", *words, "-o", "json")
        try:
            return list(json.loads(text)["items"])
        except (ValueError, KeyError):
            return None

    def _run(
        self, words: tuple[str, ...], given: str | None, keeps_messages: bool
    ) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                [*self.command, *words],
                cwd=self.folder,
                # Without a text, a plugin of the kubeconfig that signs in may ask on the terminal.
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if keeps_messages else None,
                text=True,
                timeout=CALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            name = Path(self.command[0]).name
            raise PlatformError(
                f"{name} {words[0]} did not end within {CALL_SECONDS:.0f} s.",
                hint="Check that the API server of the cluster responds, then run this again.",
            ) from None


@dataclass(frozen=True, slots=True)
class Clients:
    """kubectl and Helm for the same cluster."""

    kubectl: Tool
    helm: Tool

    @classmethod
    def find(cls, folder: Path, say: Say, kubeconfig: Path | None = None) -> "Clients":
        """Return the clients for a kubeconfig, kubectl's default without one; build them if necessary.

        Raises:
            BuildError: they are neither on PATH nor could they be built.
        """
        found = _on_path() or _built(say)
        options = ("--kubeconfig", str(kubeconfig)) if kubeconfig else ()
        kubectl, helm = (Tool((str(path), *options), folder) for path in found)
        return cls(kubectl, helm)

    def at(self, context: str) -> "Clients":
        """Return the same clients bound to a context, which another shell cannot change."""
        return Clients(
            Tool((*self.kubectl.command, "--context", context), self.kubectl.folder),
            Tool((*self.helm.command, "--kube-context", context), self.helm.folder),
        )


def _on_path() -> tuple[Path, Path] | None:
    kubectl, helm = shutil.which("kubectl"), shutil.which("helm")
    if kubectl is None or helm is None:
        return None
    version = _answer(helm, "version", "--template", "{{.Version}}")
    # The options that take over existing objects are those of Helm 4.
    if _answer(kubectl, "version", "--client") is None or not re.match(r"v4\.", version or ""):
        return None
    return Path(kubectl), Path(helm)


def _answer(program: str, *words: str) -> str | None:
    try:
        done = subprocess.run(
            [program, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _built(say: Say) -> tuple[Path, Path]:
    recipe = Recipe.read()
    if not (cache_root() / "bin" / recipe.key).is_dir():
        recipe = recipe.only("kubectl", "helm")
    programs = ensure_binaries(cache_root(), lambda build: say(build.sentence()), say, recipe)
    return programs.path("kubectl"), programs.path("helm")
