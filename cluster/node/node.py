"""A real node: kubelet, containerd and runc under a real control plane, in separate namespaces.

`up` starts PID 1 of the namespaces and waits until the node is Ready; `down` kills it, and the kernel ends every
process, mount and interface in them. The process that waits for PID 1 is killed with the test run, so an interrupted
run leaves no node.

The cache contains what is reused: programs, images, containerd's storage with the imported images. A lock limits it to
one node at a time; the next node deletes the leftovers of an interrupted one.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from cluster.api import Api
from cluster.errors import ApiServerError
from cluster.folders import cache_root
from cluster.local.cluster import ClusterInfo
from cluster.local.component import wait_until
from cluster.lock import file_lock
from cluster.node import host, layout
from cluster.node.cgroups import make_groups, remove_groups
from cluster.node.errors import NodeError
from cluster.node.folders import ROOT, NodeFolder, node_cache
from cluster.node.inside.configuration import write_configuration
from cluster.node.keys import admin_token, make_keys
from cluster.node.objects.names import serve_names
from cluster.node.objects.volumes import apply_objects
from cluster.ports import free_port
from cluster.programs.binaries import Binaries, Recipe, ensure_binaries

MODULE_DIR = Path(__file__).resolve().parent
READY_SECONDS = 180.0
DOWN_SECONDS = 30.0
UNSHARE = ("unshare", "--cgroup", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child")
UNSHARE_MOUNTS = ("--mount-proc", "--propagation", "private")
NAMESPACES = ("--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup")
CTR = ("ctr", "--address", layout.CONTAINERD_SOCKET, "--namespace", "k8s.io")
# Joins the control groups "$@" up to "--", becomes the rest.
JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'

Say = Callable[[str], None]


class Node:
    """One node in one folder; use as a context manager, or call `up` and `down`."""

    def __init__(self, folder: Path, say: Say) -> None:
        self.folder = NodeFolder(folder)
        self.port = free_port()
        self._say = say
        self._groups: list[Path] = []
        self._outer: subprocess.Popen[bytes] | None = None
        self._relays: list[subprocess.Popen[bytes]] = []
        self._ports: dict[int, tuple[str, int]] = {self.port: (layout.NODE_ADDRESS, layout.API_PORT)}
        self._programs: tuple[Binaries, Binaries] | None = None
        self._held = ExitStack()

    @property
    def cluster(self) -> ClusterInfo:
        """The node's cluster, in the form of the local cluster."""
        path = self._built()[0].path
        return ClusterInfo(self.folder.kubeconfig, self.server, self._built()[0].folder, path("helm"), path("kubectl"))

    @property
    def server(self) -> str:
        """The API server's URL, the same inside and outside."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def api(self) -> Api:
        """The API server, as the admin."""
        return Api(self.server, (self.folder.pki / "ca.crt").read_text(), admin_token(self.folder.pki))

    @property
    def pid(self) -> int:
        """PID 1 of the namespaces, by its number outside.

        Raises:
            NodeError: the node is not up.
        """
        found = self._pid()
        if found is None:
            raise NodeError(f"The node is not up. {self._log_ends()}")
        return found

    def __enter__(self) -> "Node":
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def up(self) -> None:
        """Bring the node up and wait until pods can run on it.

        Raises:
            NodeError: it cannot run here, or did not come up; states which program ended and quotes the end of its log.
        """
        host.check()
        self._built()
        is_fresh = not self.folder.etcd.exists()
        self.folder.make()
        make_keys(self.folder.pki)
        write_configuration(self.folder, self._containerd_root(), self.server, admin_token(self.folder.pki))
        if is_fresh:
            waiting = "Waiting for another test run's node."
            self._held.enter_context(file_lock(node_cache() / "node.lock", lambda: self._say(waiting)))
        try:
            self._start(is_fresh)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process, mount and interface of the node, as a power failure does; its data stays.

        Raises:
            NodeError: something is left.
        """
        for relay in self._relays:
            relay.kill()
            relay.wait()
        self._relays.clear()
        if self._outer is not None:
            self._outer.kill()
            self._outer.wait(DOWN_SECONDS)
            self._outer = None
        left = remove_groups(self._groups)
        self._groups.clear()
        if left:
            raise NodeError(f"These control groups of the node cannot be removed: {', '.join(map(str, left))}.")

    def down(self) -> None:
        """End the node and delete everything except the cache."""
        try:
            self.stop()
        finally:
            self._held.close()
            shutil.rmtree(self.folder.root, ignore_errors=True)

    def restart(self) -> None:
        """Simulate a power failure of the node, and start it again."""
        self.stop()
        self.up()
        self._wait_for(self._has_names, "the cluster's names to be answered")

    def serve_names(self) -> None:
        """Start the cluster's DNS and wait until it responds; needs the system images to be loaded."""
        serve_names(self.api, self._built()[1].path("coredns"), self.folder.etc / "Corefile")
        self._wait_for(self._has_names, "the cluster's names to be answered")

    def inside(self, *command: str, timeout_seconds: float = 120.0) -> str:
        """Run a command in the node's namespaces, as root of the node, and return its output.

        Raises:
            NodeError: it failed.
        """
        enter = ["nsenter", "--target", str(self.pid), *NAMESPACES, f"--wd={self.folder.root}"]
        return host.run(*enter, *command, timeout_seconds=timeout_seconds)

    def in_network(self, *command: str) -> list[str]:
        """Return the command line that runs a program of this machine in the node's network, with the cluster's DNS."""
        bind = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"'
        resolv = str(self.folder.etc / "resolv.conf")
        enter = ["nsenter", "--target", str(self.pid), "--net", "unshare", "--mount", "--propagation", "private"]
        return [*enter, "sh", "-c", bind, resolv, *command]

    def forward_port(self, port: int, address: str, to_port: int) -> None:
        """Forward a port of this machine's loopback interface to an address of the node, also after a restart."""
        self._ports[port] = (address, to_port)
        self._open({port: (address, to_port)})

    def load(self, archive: Path) -> None:
        """Import the images of an archive, unless this archive is already imported."""
        mark = self._marks() / archive.name
        if mark.exists():
            return
        self.inside(*CTR, "images", "import", str(archive), timeout_seconds=600)
        self._forget(archive.stem.rpartition("-")[0])
        mark.touch()

    def tag(self, image: str, name: str) -> None:
        """Give an image an additional name; an archive of that name is imported again on its next use."""
        self.inside(*CTR, "images", "tag", "--force", image, name)
        self._forget(name.rpartition("/")[2].replace(":", "-"))

    def containers_of(self, namespace: str) -> list[str]:
        """Return the ids of the containers of a namespace, from containerd."""
        label = f'labels."io.kubernetes.pod.namespace"=={namespace}'
        return self.inside(*CTR, "containers", "list", "--quiet", label).split()

    def kill(self, container: str) -> None:
        """Kill the first process of a container with SIGKILL."""
        self.inside(*CTR, "tasks", "kill", "--signal", "SIGKILL", container)

    def _marks(self) -> Path:
        marks = self._containerd_root().parent / "imported"
        marks.mkdir(exist_ok=True)
        return marks

    def _forget(self, name: str) -> None:
        for mark in self._marks().glob(f"{name}-{'?' * 16}.tar"):
            mark.unlink()

    def _built(self) -> tuple[Binaries, Binaries]:
        if self._programs is None:
            say = self._say
            cluster = ensure_binaries(cache_root(), lambda build: say(build.sentence()), say)
            own = Recipe.read(MODULE_DIR)
            self._programs = cluster, ensure_binaries(node_cache(), lambda build: say(build.sentence()), say, own)
        return self._programs

    def _containerd_root(self) -> Path:
        root = node_cache() / "containerd" / "root"
        root.mkdir(parents=True, exist_ok=True)
        return root

    def _start(self, is_fresh: bool) -> None:
        self._say("Starting the node.")
        self._groups = make_groups()
        cluster, own = self._built()
        freshness = "fresh" if is_fresh else "again"
        init = [sys.executable, "-m", "cluster.node.inside.init", str(self.folder.root), str(self._containerd_root())]
        init += [str(self.port), str(cluster.folder), str(own.folder), freshness]
        # The signal is sent when the thread that started the process ends, which is pytest's main thread.
        bound = ["setpriv", "--pdeathsig", "KILL", *UNSHARE, *UNSHARE_MOUNTS, *init]
        (self.folder.root / "started").unlink(missing_ok=True)
        with (self.folder.logs / "init.log").open("ab") as log:
            self._outer = subprocess.Popen(
                ["sh", "-c", JOIN, "sh", *map(str, self._groups), "--", *bound],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _wait_until_ready(self) -> None:
        self._wait_for((self.folder.root / "started").exists, "its programs to start")
        self._open(self._ports)
        self._wait_for(self._is_ready, "the node to be Ready")
        apply_objects(self.api, self.folder)

    def _wait_for(self, condition: Callable[[], bool], what: str) -> None:
        def is_met_while_running() -> bool:
            if self._outer is None or self._outer.poll() is not None:
                raise NodeError(f"The node ended at its start. {self._log_ends()}")
            return condition()

        if not wait_until(is_met_while_running, READY_SECONDS):
            raise NodeError(f"Waited {READY_SECONDS:.0f} s for {what}. {self._log_ends()}")

    def _is_ready(self) -> bool:
        try:
            node = self.api.get(f"/api/v1/nodes/{layout.NODE}")
            account = self.api.get("/api/v1/namespaces/default/serviceaccounts/default")
        except ApiServerError:
            return False
        conditions = {each["type"]: each["status"] for each in ((node or {}).get("status") or {}).get("conditions", ())}
        return account is not None and conditions.get("Ready") == "True" and not node["spec"].get("taints")

    def _has_names(self) -> bool:
        try:
            self.inside("busybox", "timeout", "2", "nslookup", f"kubernetes.default.svc.{layout.DOMAIN}")
        except NodeError:
            return False
        return True

    def _open(self, ports: dict[int, tuple[str, int]]) -> None:
        words = [str(word) for port, (address, to_port) in ports.items() for word in (port, address, to_port)]
        bound = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "cluster.node.relay", str(self.pid), *words]
        with (self.folder.logs / "relay.log").open("ab") as log:
            self._relays.append(subprocess.Popen(bound, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _pid(self) -> int | None:
        if self._outer is None or self._outer.poll() is not None:
            return None
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def _log_ends(self) -> str:
        logs = sorted(self.folder.logs.glob("*.log"), key=lambda path: path.name != "init.log")
        words = []
        for log in logs:
            lines = log.read_text(errors="replace").splitlines()[-4:]
            words.append("\n".join([f"{log.name}:", *(line[:300] for line in lines)]))
        return "The ends of its logs:\n" + "\n".join(words)
