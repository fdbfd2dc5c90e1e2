"""The release `urumi` of charts/platform in one namespace: its token, its installation, the wait for its pods.

Every step can be run again and changes only what is missing. The token is passed on standard input, never on a command
line. Not guaranteed: that the values are the same as in the last run; Helm stores those of each revision.
"""

import base64
import binascii
import os
import secrets
import time
from typing import Any

from cluster.errors import PlatformError
from cluster.platform.clients import Clients, Say

CHART = "charts/platform"
NAME = "urumi"
LABEL = "app.kubernetes.io/name=urumi"
TOKEN_SECRET = "urumi-token"  # noqa: S105 - the name of the Secret
ROLLOUT_SECONDS = 600.0
POLL_SECONDS = 15


def platform_namespace() -> str:
    """Return the namespace of the platform, from the variables that the server reads."""
    return os.environ.get("URUMI_PLATFORM_NAMESPACE") or os.environ.get("PLATFORM_NAMESPACE") or "store-platform"


def new_token() -> str:
    """Return a new random token."""
    return secrets.token_urlsafe(32)


class Release:
    """The platform's release on the cluster of the clients."""

    def __init__(self, clients: Clients, say: Say, namespace: str = "") -> None:
        self.namespace = namespace or platform_namespace()
        self._kubectl = clients.kubectl
        self._helm = clients.helm
        self._say = say

    def describe(self) -> str:
        """Return Helm's line about the installed release, or that there is none."""
        listed = self._helm.output("list", "--namespace", self.namespace, "--filter", f"^{NAME}$", "--no-headers")
        return " ".join(listed.split()) or f"none yet; {NAME} will be installed"

    def render(self, *values: str) -> str:
        """Return the chart's objects with these arguments for Helm.

        Raises:
            PlatformError: the values do not fit the chart.
        """
        done = self._helm.attempt("template", NAME, CHART, "--namespace", self.namespace, *values)
        if done.returncode != 0:
            self._say(done.stderr.strip())
            raise PlatformError(
                "The values do not fit the chart: see Helm's message above.",
                hint="Pass yours with --values FILE; see docs/production.md.",
            )
        return done.stdout

    def ensure_namespace(self) -> None:
        """Create the namespace unless it exists.

        Raises:
            PlatformError: it could not be created.
        """
        if self._kubectl.attempt("get", "namespace", self.namespace).returncode == 0:
            return
        if not self._kubectl.passes("create", "namespace", self.namespace):
            raise PlatformError(
                f"The namespace {self.namespace} could not be created: see kubectl's message above.",
            )

    def ensure_token(self, token: str = "") -> None:
        """Create the namespace and, unless it exists, the Secret with this token or a new one.

        Raises:
            PlatformError: one of them could not be created.
        """
        self.ensure_namespace()
        if self._kubectl.attempt("-n", self.namespace, "get", "secret", TOKEN_SECRET).returncode == 0:
            return
        create = ("-n", self.namespace, "create", "secret", "generic", TOKEN_SECRET, "--from-file=token=/dev/stdin")
        if not self._kubectl.passes(*create, given=token or new_token()):
            raise PlatformError(f"The Secret {TOKEN_SECRET} could not be created: see kubectl's message above.")

    def read_token(self) -> str:
        """Return the token of the Secret.

        Raises:
            PlatformError: there is none.
        """
        text = self._kubectl.output("-n", self.namespace, "get", "secret", TOKEN_SECRET, "-o", "jsonpath={.data.token}")
        try:
            token = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            token = ""
        if not token:
            raise PlatformError(
                f"The Secret {TOKEN_SECRET} in {self.namespace} has no key `token` with text in it.",
                hint=f"Delete it, then run this again: kubectl -n {self.namespace} delete secret {TOKEN_SECRET}",
            )
        return token

    def apply(self, *arguments: str) -> None:
        """Install or upgrade; take over a Store definition that was applied with kubectl.

        Raises:
            PlatformError: Helm failed; its message is on the terminal.
        """
        options = ("--namespace", self.namespace, "--take-ownership", "--force-conflicts", *arguments)
        if not self._helm.passes("upgrade", "--install", NAME, CHART, *options):
            raise PlatformError(
                f"Helm could not install {CHART}: see its message above.",
                hint="No cleanup is needed: fix the cause and run this again.",
            )

    def wait(self) -> None:
        """Wait until the pods of the newest revision are ready, and say what they wait for.

        Raises:
            PlatformError: they are not after URUMI_ROLLOUT_SECONDS.
        """
        limit = float(os.environ.get("URUMI_ROLLOUT_SECONDS") or ROLLOUT_SECONDS)
        started = time.monotonic()
        status = ("-n", self.namespace, "rollout", "status", f"deployment/{NAME}", f"--timeout={POLL_SECONDS}s")
        while self._kubectl.attempt(*status).returncode != 0:
            seconds = int(time.monotonic() - started)
            reason = self.reason()
            if seconds >= limit:
                raise PlatformError(
                    f"The server is not ready after {seconds} s: {reason}.",
                    hint=f"Run: kubectl -n {self.namespace} describe pods -l {LABEL}. "
                    f"To roll back: helm -n {self.namespace} rollback {NAME}",
                )
            self._say(f"      waiting for the server's pods, {seconds} s: {reason}")
            # `rollout status` returns at once after the Deployment's own deadline.
            time.sleep(1)

    def ready_pods(self) -> int:
        """Return the number of the server's pods that are ready."""
        path = "jsonpath={.status.readyReplicas}"
        return int(self._kubectl.output("-n", self.namespace, "get", "deployment", NAME, "-o", path) or 0)

    def reason(self) -> str:
        """Return what the server's pods wait for, each cause once."""
        where = ("-n", self.namespace, "-l", LABEL)
        causes = [cause for pod in self._kubectl.items("pods", *where) or () if (cause := _cause_of_pod(pod))]
        causes += [cause for owner in self._kubectl.items("replicasets", *where) or () for cause in _refusals(owner)]
        return "; ".join(dict.fromkeys(causes)) or "no pod yet"


def _cause_of_pod(pod: Any) -> str:
    """Return why a pod is not ready, nothing if it is."""
    status = pod.get("status", {})
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    if conditions.get("Ready", {}).get("status") == "True":
        return ""
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        waiting = container.get("state", {}).get("waiting")
        if waiting:
            ended = container.get("lastState", {}).get("terminated", {})
            code = f" (exit code {ended['exitCode']})" if "exitCode" in ended else ""
            return f"{waiting.get('reason', 'Waiting')}{code} {waiting.get('message', '')}".strip()
    unscheduled = conditions.get("PodScheduled", {})
    if unscheduled.get("status") == "False":
        return f"{unscheduled.get('reason', 'Unschedulable')} {unscheduled.get('message', '')}".strip()
    return f"{status.get('phase', 'Pending')}, not ready"


def _refusals(replica_set: Any) -> list[str]:
    """Return why pods of a ReplicaSet could not be created."""
    conditions = replica_set.get("status", {}).get("conditions", ())
    failed = (each for each in conditions if each["type"] == "ReplicaFailure" and each["status"] == "True")
    return [f"{each.get('reason', 'FailedCreate')} {each.get('message', '')}".strip() for each in failed]
