"""Facts of a machine, and a machine whose docker, kind, kubectl and Helm are substitutes that record their calls.

The substitutes cover the decisions and the messages. `./setup.sh test --docker` runs the real programs.
"""

import json
import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster.kind.kind import MODULE
from cluster.place import Place
from cluster.ports import free_port
from tests.cluster.kind.facts import INFO, VERSION, FactsOf
from tests.cluster.place import Transcript

PINNED = re.findall(r"^\tsigs\.k8s\.io/kind v(\S+)", (MODULE / "go.mod").read_text(), re.M)[0]
CHARTS = {"platform": "0.1.0", "woocommerce": "10.5.1"}

DOCKER = """\
#!/bin/bash
echo "docker $*" >>"$CALLS"
case "$1" in
    info) cat "$ANSWERS/info"; [ -z "${INFO_SAYS:-}" ] || echo "$INFO_SAYS" >&2; exit "${DOCKER_CODE:-0}" ;;
    version) cat "$ANSWERS/version" ;;
    context) echo "${ENDPOINT:-unix:///nowhere.sock}" ;;
    container) cat "$ANSWERS/node" 2>/dev/null ;;
    ps) echo "${PUBLISHER:-}" ;;
    "${DOCKER_FAILS:-}") exit 1 ;;
esac
"""
KIND = f"""\
#!/bin/bash
[ "$1" != --version ] || {{ echo "kind version ${{KIND_IS:-{PINNED}}}" && exit; }}
echo "kind $* (provider ${{KIND_EXPERIMENTAL_PROVIDER:-none}}, platform ${{DOCKER_DEFAULT_PLATFORM:-none}})" >>"$CALLS"
[ "$1" != "${{KIND_FAILS:-}}" ] || exit 1
[ "$1" != export ] || touch "${{@: -1}}"
"""
KUBECTL = """\
#!/bin/bash
echo "kubectl $*" >>"$CALLS"
case "$*" in
    *"get namespace"*) exit 1 ;;
    *"get secret urumi-token -o"*) printf dGhlLXRva2Vu ;;
    *"get secret urumi-token"*) exit "${TOKEN_CODE:-1}" ;;
    *"create secret"*) cat >>"$CALLS" && echo >>"$CALLS" ;;
    *"get configmap urumi"*) printf '%s' "${DOMAIN:-}" ;;
    *"rollout status daemonset"*) exit "${TRAEFIK_CODE:-0}" ;;
    *readyReplicas*) printf '%s' "${READY:-2}" ;;
esac
"""
HELM = """\
#!/bin/bash
[ "$1" != version ] || { echo v4.2.3 && exit; }
echo "helm $*" >>"$CALLS"
exit "${HELM_CODE:-0}"
"""
# Every call that changes something, of any of the programs.
CHANGES = re.compile(
    r"docker (start|stop|unpause|build|run|rm|network)|kind (create|delete|load)|helm |kubectl .*apply"
)


class Setup:
    """A checkout, a state folder, and a PATH with nothing but the substitutes."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._calls, self._answers, self.bin = folder / "calls", folder / "answers", folder / "bin"
        for path in (self._answers, self.bin):
            path.mkdir()
        self._calls.touch()
        self.lines: list[str] = []
        console = Transcript(self.lines)
        self.place = Place(folder / "checkout", folder / "state", console, Path(sys.executable))
        self.state = self.place.state
        self._make_checkout()
        for name, text in (("docker", DOCKER), ("kind", KIND), ("kubectl", KUBECTL), ("helm", HELM)):
            self.put(name, text)
        for tool in ("cat", "touch"):
            (self.bin / tool).symlink_to(f"/bin/{tool}")
        self.answer("info", {**INFO, "Name": socket.gethostname()})
        self.answer("version", VERSION)
        self._set = monkeypatch.setenv
        http = free_port()
        https = next(port for port in iter(free_port, None) if port != http)
        self.ports = {"http": http, "https": https}
        self.set(
            PATH=str(self.bin),
            CALLS=str(self._calls),
            ANSWERS=str(self._answers),
            HOME=str(folder),
            URUMI_HTTP_PORT=str(http),
            URUMI_HTTPS_PORT=str(https),
        )

    def _make_checkout(self) -> None:
        for chart, version in CHARTS.items():
            folder = self.place.root / "charts" / chart
            folder.mkdir(parents=True)
            (folder / "Chart.yaml").write_text(f'version: 9.9.9\nappVersion: "{version}"\n')
        (self.place.root / "charts" / "medusa").mkdir()
        (self.place.root / "charts" / "medusa" / "Chart.yaml").write_text('appVersion: "2.21.2"\n')
        for name in ("server", "charts/woocommerce/image"):
            (self.place.root / name).mkdir(parents=True, exist_ok=True)
            (self.place.root / name / "Dockerfile").touch()
        (self.place.root / "pyproject.toml").touch()

    def put(self, name: str, text: str) -> None:
        """Write a program."""
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def set(self, **environ: str) -> None:
        """Set variables of the environment."""
        for name, value in environ.items():
            self._set(name, value)

    def answer(self, name: str, answer: Mapping[str, Any]) -> None:
        """Set what docker prints."""
        (self._answers / name).write_text(json.dumps(answer))

    def have_node(self, state: str, http: int = 80, https: int = 443) -> None:
        """Let there be a node that was created from this state folder."""
        bindings = {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(http)}],
            "443/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(https)}],
        }
        node = {
            "Created": "2026-11-28T10:00:00.123Z",
            "State": {"Status": state},
            "HostConfig": {"PortBindings": bindings},
        }
        self.answer("node", node)
        self.state.mkdir(exist_ok=True)
        (self.state / "kind.kubeconfig").touch()

    def calls(self, name: str) -> list[str]:
        """Return the calls of a program so far."""
        return [line for line in self.all_calls if line.startswith(f"{name} ")]

    @property
    def all_calls(self) -> list[str]:
        """Every line that the substitutes wrote."""
        return self._calls.read_text().splitlines()

    @property
    def changes(self) -> list[str]:
        """Every call so far that changes something."""
        return [line for line in self.all_calls if CHANGES.match(line)]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A machine with a Docker that responds, and kind, kubectl and Helm on PATH in the right versions."""
    for name in list(os.environ):
        if name.startswith(("URUMI_", "DOCKER_", "KIND_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("BASE_DOMAIN", "PLATFORM_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    # On a busy machine a substitute takes longer than an engine that responds.
    monkeypatch.setattr("cluster.kind.docker.ANSWER_SECONDS", 60.0)
    # No substitute listens on the node's ports.
    monkeypatch.setattr("cluster.kind.target.wait_for_page", lambda say, host, port: None)
    return Setup(tmp_path, monkeypatch)


@pytest.fixture
def facts(tmp_path: Path) -> FactsOf:
    """Facts of a machine on which nothing prevents a kind cluster."""
    return FactsOf(tmp_path)
