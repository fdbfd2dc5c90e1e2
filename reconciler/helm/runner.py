"""Helm as a child process: one per install or uninstall, in its own process group, never outliving its task.

pyhelm3 builds Helm's command lines and supports its versions, and its `Command.run` is replaced here. The original
starts a shell, so a cancelled task leaves Helm running; it buffers output without a limit; and it logs tokens. This one
executes Helm without a shell in its own process group, ends it with TERM, a grace period and KILL, limits its output,
and passes no secret in arguments, environment or log: values are passed on stdin and hold no secrets, because the
charts refer to Secrets by name. On Linux the kernel kills Helm when this process dies.

`ensure_release` of pyhelm3 is not used: it uninstalls a healthy release whose record is pending.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
from typing import TYPE_CHECKING, Any

import pyhelm3
from pyhelm3.errors import Error as HelmFailure

from reconciler.metrics import HELM_PROCESSES, HELM_SECONDS
from urumi.errors import ConfigurationError, StepError, TransientError
from urumi.proxies import API_SERVER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.kube.resources import Object
    from reconciler.leaderelection.elector import LeaderTerm
    from reconciler.settings import Settings

GRACE_SECONDS = 20.0
# The grace period after leadership was lost.
LOST_GRACE_SECONDS = 1.0
# Helm runs for about a second. Without garbage collection, until it is large, it needs a quarter less processor time.
HELM_MEMORY = {"GOGC": "off", "GOMEMLIMIT": "96MiB"}
PASSED_VARIABLES = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy")
NO_PROXY_VARIABLES = ("NO_PROXY", "no_proxy")
MAX_STDOUT_BYTES = 8 * 1024 * 1024
MAX_STDERR_BYTES = 64 * 1024
HISTORY_MAX_REVISIONS = 5
# Server-side apply rejects unknown fields. Helm's own validation fetches and parses the whole OpenAPI document, which
# takes two thirds of the processor time of an install.
SERVER_VALIDATES = "--disable-openapi-validation"

# What Helm writes to stderr when a retry cannot succeed, with the hint for each.
CONFIGURATION_SIGNS = {
    "values don't meet the specifications of the schema": "Check spec.values against the chart's values.schema.json.",
    "failed to render chart": "Check the chart's templates and spec.values.",
    "execution error": "Check the chart's templates and spec.values.",
    "parse error": "Check the chart's templates.",
    "chart.yaml file is missing": "Check URUMI_CHARTS_DIR.",
    'path "': "Check URUMI_CHARTS_DIR.",
    "exceeded quota": "Raise the quota of the store, or lower the requests of the chart.",
    "is invalid": "Check spec.values: the API server rejected an object of the chart.",
    "forbidden": "Check the RBAC permissions of the platform and the quota of the store.",
}

log = logging.getLogger(__name__)


class HelmProcess(pyhelm3.Command):  # type: ignore[misc]  # pyhelm3 is untyped
    """pyhelm3's command builder with a replaced `run`; use one object per call."""

    def __init__(self, settings: Settings, leader_term: LeaderTerm, labels: dict[str, str] | None = None) -> None:
        super().__init__(
            default_timeout=f"{settings.helm_timeout_seconds:.0f}s",
            executable=settings.helm,
            history_max_revisions=HISTORY_MAX_REVISIONS,
            kubeconfig=settings.kubeconfig,
        )
        self._kubeconfig_path: Path | None = settings.kubeconfig
        self._labels = labels or {}
        self._leader_term = leader_term

    async def run(self, command: list[Any], input: bytes | None = None) -> bytes:
        """Run Helm with these arguments and return its output.

        Raises:
            pyhelm3.errors.Error: Helm failed; it has the end of its output.
        """
        arguments = [str(part) for part in command]
        if arguments[0] == "upgrade":
            arguments.append(SERVER_VALIDATES)
            arguments += [f"--labels={name}={value}" for name, value in self._labels.items()]
        if self._kubeconfig_path:
            arguments += ["--kubeconfig", str(self._kubeconfig_path)]
        if not self._leader_term.is_valid():
            raise asyncio.CancelledError("this process is no longer the leader")
        if shutil.which(self._executable) is None:
            raise FileNotFoundError(f"program {self._executable!r} not found")
        log.info("helm starts", extra={"verb": arguments[0], "release": arguments[1]})
        environment = helm_environment(os.environ)
        process = await asyncio.create_subprocess_exec(
            *_kill_with_parent(),
            self._executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=environment | HELM_MEMORY,
        )
        with HELM_PROCESSES.track_inprogress(), HELM_SECONDS.labels(arguments[0]).time():
            try:
                stdout, stderr = await _communicate(process, input or b"")
            finally:
                await _end(process, self._leader_term)
        if process.returncode != 0:
            raise HelmFailure(process.returncode, stdout, stderr)
        return stdout


def helm_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what Helm needs: HELM_* and token variables of the operator's shell must not reach it."""
    passed = {
        name: value
        for name, value in environ.items()
        if name in PASSED_VARIABLES or name.startswith("KUBERNETES_SERVICE_")
    }
    # Go reads the first of these that is set, and uses the proxy for a pod's API server unless it is listed.
    bypassed = next((environ[name] for name in NO_PROXY_VARIABLES if environ.get(name)), "")
    listed = ",".join(filter(None, (bypassed, environ.get(API_SERVER_VARIABLE, ""))))
    return passed | ({"NO_PROXY": listed} if listed else {})


class Helm:
    """Installs and uninstalls releases."""

    def __init__(self, settings: Settings, leader_term: LeaderTerm) -> None:
        self._settings = settings
        self._leader_term = leader_term

    async def install(self, release: str, namespace: str, chart: Path, values: Object, labels: dict[str, str]) -> int:
        """Install or upgrade a release without waiting for its workloads; return its revision.

        Raises:
            ConfigurationError: the chart, its values or the settings have to change first.
            TransientError: any other failure.
        """
        try:
            answer = await HelmProcess(self._settings, self._leader_term, labels).install_or_upgrade(
                release,
                chart,
                values,
                create_namespace=False,
                namespace=namespace,
                server_side="true",
                force_conflicts=True,
            )
        except HelmFailure as error:
            # Helm decides between the two by the history of the release.
            verb = "upgrade" if b"UPGRADE FAILED" in error.stderr else "install"
            raise _classified(error, f"helm could not {verb} release {release}") from error
        except (OSError, ValueError) as error:
            raise _unusable(self._settings.helm, error) from error
        return int(answer["version"])

    async def uninstall(self, release: str, namespace: str) -> bool:
        """Uninstall a release; return False if there was none."""
        try:
            await HelmProcess(self._settings, self._leader_term).uninstall(release, namespace=namespace)
        except HelmFailure as error:
            if "not found" in _message(error):
                return False
            raise _classified(error, f"helm could not uninstall release {release}") from error
        except OSError as error:
            raise _unusable(self._settings.helm, error) from error
        return True


def _kill_with_parent() -> list[str]:
    """Return a command prefix that makes the kernel kill the child when this process dies, empty if there is none."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


async def _communicate(process: asyncio.subprocess.Process, data: bytes) -> tuple[bytes, bytes]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise OSError("helm was started without pipes")
    stdout, stderr, _, _ = await asyncio.gather(
        _read(process.stdout, MAX_STDOUT_BYTES),
        _read(process.stderr, MAX_STDERR_BYTES, keep_end=True),
        _feed(process.stdin, data),
        process.wait(),
    )
    return stdout, stderr


async def _feed(pipe: asyncio.StreamWriter, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(data)
        await pipe.drain()
    pipe.close()


async def _read(pipe: asyncio.StreamReader, limit: int, *, keep_end: bool = False) -> bytes:
    """Read to the end of a pipe and return the first bytes, or the last, up to a limit."""
    kept = bytearray()
    while chunk := await pipe.read(65536):
        kept += chunk
        if keep_end:
            del kept[:-limit]
        else:
            del kept[limit:]
    return bytes(kept)


async def _end(process: asyncio.subprocess.Process, leader_term: LeaderTerm) -> None:
    """End the whole process group, also if this task is cancelled again meanwhile."""
    if process.returncode is not None:
        return
    ending = asyncio.ensure_future(_terminate(process, GRACE_SECONDS if leader_term.is_valid() else LOST_GRACE_SECONDS))
    while not ending.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(ending)


async def _terminate(process: asyncio.subprocess.Process, grace_seconds: float) -> None:
    _signal(process, signal.SIGTERM)
    try:
        async with asyncio.timeout(grace_seconds):
            await process.wait()
    except TimeoutError:
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _message(error: HelmFailure) -> str:
    lines = [line.strip() for line in error.stderr.decode(errors="replace").splitlines() if line.strip()]
    # Helm logs an error and then repeats it in a line that starts with "Error:".
    start = next((number for number, line in enumerate(lines) if line.startswith("Error:")), max(0, len(lines) - 8))
    message = " ".join(lines[start:]).removeprefix("Error: ")[-1500:]
    return message or f"exit code {error.returncode} without output"


def _classified(error: HelmFailure, what: str) -> StepError:
    message = _message(error)
    if "being terminated" in message:
        return TransientError(f"{what}: {message}", step="release", reason="NamespaceTerminating")
    for sign, hint in CONFIGURATION_SIGNS.items():
        if sign in message.lower():
            return ConfigurationError(f"{what}: {message}", step="release", reason="HelmRefused", hint=hint)
    hint = "Read Helm's message; the release is retried automatically."
    return TransientError(f"{what}: {message}", step="release", reason="HelmFailed", hint=hint)


def _unusable(helm: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"helm could not be started: {error}",
        step="release",
        reason="HelmUnusable",
        hint=f"Check URUMI_HELM, currently {helm!r}.",
    )
