"""A checkout whose kubectl and Helm are substitutes that record their calls, and a console that keeps its lines."""

import os
from pathlib import Path

import pytest

from tests.cluster.place import Transcript, make_place

KUBECTL = """\
#!/bin/bash
echo "kubectl $*" >>"$CALLS"
case "$*" in
    *current-context*) [ -n "$CONTEXT" ] && echo "$CONTEXT" ;;
    *cluster.server*) echo https://api.example.com:6443 ;;
    *"--raw /readyz"*) exit "${API_CODE:-0}" ;;
    *"get storageclasses"*) cat "$ANSWERS/storageclasses" ;;
    *"get ingressclasses"*) cat "$ANSWERS/ingressclasses" ;;
    *"get daemonsets"*) cat "$ANSWERS/daemonsets" ;;
    *"get nodes"*) cat "$ANSWERS/nodes" ;;
    *"get pods"*) cat "$ANSWERS/pods" ;;
    *"get replicasets"*) cat "$ANSWERS/replicasets" ;;
    *"get ingress urumi"*) echo urumi.example.com ;;
    *"get secret urumi-token -o"*) printf '%s' "${TOKEN_DATA:-dGhlLXRva2Vu}" ;;
    *"get secret"*) exit "${TOKEN_CODE:-1}" ;;
    *"create secret"*) cat >>"$CALLS" && echo >>"$CALLS" ;;
    *"get namespace"*) exit "${NAMESPACE_CODE:-0}" ;;
    *"create namespace"*) exit "${CREATE_CODE:-0}" ;;
    *"get deployment urumi -o name"*) exit "${DEPLOYMENT_CODE:-0}" ;;
    *readyReplicas*) printf '%s' "${READY:-2}" ;;
    *"rollout status"*) exit "${ROLLOUT_CODE:-0}" ;;
esac
"""
HELM = """\
#!/bin/bash
[ "$1" != version ] || { echo "${HELM_IS:-v4.2.3}" && exit; }
echo "helm $*" >>"$CALLS"
case "$*" in
    *"list "*) printf '%s' "${RELEASE:-}" ;;
    *"template "*)
        [ -z "${TEMPLATE_FAILS:-}" ] || { echo "Error: bad value" >&2 && exit 1; }
        cat "$ANSWERS/objects"
        ;;
    *"upgrade "*) exit "${HELM_CODE:-0}" ;;
esac
"""
# The subcommands that change a cluster.
CHANGES = (" apply ", " create ", " delete ", " upgrade ", " patch ", " label ")


class Machine:
    """A folder with the substitutes, which are the only kubectl and Helm on PATH."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._calls = folder / "calls"
        self._calls.touch()
        self._answers = folder / "answers"
        self._answers.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.console = Transcript()
        self.place = make_place(folder, self.console)
        self.place.root.mkdir()
        self.put("kubectl", KUBECTL)
        self.put("helm", HELM)
        self._set = monkeypatch.setenv
        self.set(
            PATH=f"{self.bin}:{os.environ['PATH']}",
            CALLS=str(self._calls),
            ANSWERS=str(self._answers),
            CONTEXT="prod-eu",
        )

    def put(self, name: str, text: str) -> None:
        """Write a program."""
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def set(self, **environ: str) -> None:
        """Set variables of the substitutes."""
        for name, value in environ.items():
            self._set(name, value)

    def answer(self, name: str, text: str) -> None:
        """Set what the substitutes print for a kind of objects; without it, the call fails."""
        (self._answers / name).write_text(text)

    @property
    def calls(self) -> list[str]:
        """Every call so far."""
        return self._calls.read_text().splitlines()

    @property
    def changes(self) -> list[str]:
        """Every call that changes the cluster."""
        return [line for line in self.calls if any(word in line for word in CHANGES)]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose kubectl points to a cluster, and whose chart renders nothing."""
    for name in ("URUMI_PLATFORM_NAMESPACE", "PLATFORM_NAMESPACE", "URUMI_ROLLOUT_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    made = Machine(tmp_path, monkeypatch)
    made.answer("objects", "")
    return made
