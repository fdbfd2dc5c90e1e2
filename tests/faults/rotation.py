"""Tokens that expire while an informer runs: real service account tokens, refused by the API server.

A token that is bound to a Secret is valid while that Secret exists; the API server caches a successful authentication
for up to ten seconds.
"""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from testing.faults.proxy import ApiProxy, write_kubeconfig
from testing.kubectl import Kubectl, wait_for
from tests.faults.fault_run import FaultCase

ACCOUNT = "watcher"
TOKEN_TOO_LATE = "401 until the token's file changes"
TOKEN_IN_TIME = "401 when the file holds the next token"


class Rotation:
    """The token of one informer, which is revoked; with `in_time` the file contains the next one before that."""

    def __init__(self, *, in_time: bool) -> None:
        self._in_time = in_time
        self._namespace = f"token-{secrets.token_hex(4)}"
        self._first = ""

    def case(self) -> FaultCase:
        """Return the case of this rotation."""
        name = TOKEN_IN_TIME if self._in_time else TOKEN_TOO_LATE
        stands_for = "" if self._in_time else "authentication"
        return FaultCase(name, self._fault, kubeconfig=self._kubeconfig, stands_for=stands_for)

    def _kubeconfig(self, proxy: ApiProxy) -> Path:
        """Create the account and its first token, and return a kubeconfig with the path of the token's file."""
        kubectl = Kubectl(proxy.direct)
        kubectl.run("create", "namespace", self._namespace)
        self._run(kubectl, "create", "serviceaccount", ACCOUNT)
        subject = f"--serviceaccount={self._namespace}:{ACCOUNT}"
        kubectl.run("create", "clusterrolebinding", self._namespace, "--clusterrole=view", subject)
        self._first = self._token(kubectl, "first")
        self._file(proxy).write_text(f"{self._first}\n")
        path = proxy.folder / "account.kubeconfig"
        write_kubeconfig(path, proxy.url, {"tokenFile": str(self._file(proxy))})
        return path

    @contextlib.contextmanager
    def _fault(self, proxy: ApiProxy) -> Iterator[None]:
        """Revoke the first token and reset its stream; the next one is written before that, or at the end."""
        kubectl = Kubectl(proxy.direct)
        second = self._token(kubectl, "second")
        if self._in_time:
            self._file(proxy).write_text(second)
        self._revoke(kubectl)
        proxy.cut()
        yield
        self._file(proxy).write_text(second)

    def _file(self, proxy: ApiProxy) -> Path:
        return proxy.folder / "token"

    def _token(self, kubectl: Kubectl, secret: str) -> str:
        self._run(kubectl, "create", "secret", "generic", secret)
        bound = ("--bound-object-kind=Secret", f"--bound-object-name={secret}")
        return self._run(kubectl, "create", "token", ACCOUNT, *bound).strip()

    def _revoke(self, kubectl: Kubectl) -> None:
        self._run(kubectl, "delete", "secret", "first")
        request = ("--token", self._first, "get", "configmaps", "-n", self._namespace)
        wait_for(lambda: "Unauthorized" in kubectl.attempt(*request).stderr, "the token to be refused")

    def _run(self, kubectl: Kubectl, *arguments: str) -> str:
        return kubectl.run("-n", self._namespace, *arguments)
