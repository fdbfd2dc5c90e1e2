"""A real node: kubelet, containerd and runc under a real control plane, in separate namespaces.

`up` starts PID 1 of the namespaces and waits until the node is Ready. When it is killed, the kernel ends every process,
mount and interface in them. `up` serves as first start, restart after a power failure and repair: a running node keeps
running, and only what is missing outside it is started.

A bound node is killed with the process that started it, a detached one is found again by any later command. The cache
contains what all nodes share: programs and images. A bound node also has containerd's storage there; a lock limits that
storage to one node at a time, and the next one deletes the leftovers of an interrupted one.
"""

import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from cluster.api import Api
from cluster.errors import ApiServerError
from cluster.local.cluster import ClusterInfo
from cluster.local.component import wait_until
from cluster.lock import file_lock
from cluster.node import host, layout
from cluster.node.cgroups import find_groups, group_name, make_groups, remove_groups
from cluster.node.containers import Containers
from cluster.node.errors import NodeEndedError, NodeError
from cluster.node.folders import NodeFolder, node_cache
from cluster.node.inside.configuration import write_configuration
from cluster.node.inside.plan import Plan
from cluster.node.keys import admin_token, make_keys
from cluster.node.objects.ingress import apply_ingress, is_ingress_ready
from cluster.node.objects.names import serve_names
from cluster.node.objects.pods import unready_pods
from cluster.node.objects.volumes import apply_objects
from cluster.node.outside.process import Process
from cluster.node.programs import NodePrograms, ensure_programs

READY_SECONDS = 180.0
STOP_SECONDS = 20.0
UNSHARE = ("unshare", "--cgroup", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child")
UNSHARE_MOUNTS = ("--mount-proc", "--propagation", "private")
INSIDE = Path(__file__).resolve().parent / "inside"
NAMESPACES = ("--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup")
HOLDER = "init"
RELAY = "relay"
# Joins the control groups "$@" up to "--", becomes the rest.
JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'

Say = Callable[[str], None]
# A port of this machine's loopback interface, and the address and port in the node to which it leads.
Ports = Mapping[int, tuple[str, int]]
NO_PORTS: Ports = MappingProxyType({})


class Node:
    """One node in one folder; `port` is the API server's on this machine, `forwards` are further ones."""

    def __init__(
        self, folder: NodeFolder, port: int, say: Say, *, forwards: Ports = NO_PORTS, is_bound: bool = False
    ) -> None:
        self.folder = folder
        self.port = port
        self.containers = Containers(folder, self.inside)
        self._say = say
        self._is_bound = is_bound
        self._processes: dict[str, Process] = {}
        self._holder = self._process(HOLDER)
        self._ports: dict[int, tuple[str, int]] = {port: (layout.NODE_ADDRESS, layout.API_PORT), **forwards}
        self._programs: NodePrograms | None = None
        self._held = ExitStack()

    @property
    def cluster(self) -> ClusterInfo:
        """The node's cluster, in the form of the local cluster."""
        built = self.programs.cluster
        return ClusterInfo(self.folder.kubeconfig, self.server, built.folder, built.path("helm"), built.path("kubectl"))

    @property
    def programs(self) -> NodePrograms:
        """The programs, built if they are not in the cache."""
        if self._programs is None:
            self._programs = ensure_programs(self._say)
        return self._programs

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
        found = self.find_pid()
        if found is None:
            raise NodeError(f"The node is not up. {self._log_ends()}")
        return found

    def find_pid(self) -> int | None:
        """Return PID 1 of the namespaces, by its number outside; None if the node is not up."""
        holder = self._holder.pid()
        if holder is None:
            return None
        try:
            children = Path(f"/proc/{holder}/task/{holder}/children").read_text().split()
        except OSError:
            return None
        return int(children[0]) if children else None

    def __enter__(self) -> "Node":
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.delete()

    def up(self) -> None:
        """Bring the node up, or what is missing of it, and wait until pods can run on it.

        Raises:
            NodeError: it cannot run here, or did not come up; states which program ended and quotes the end of its log.
        """
        host.check()
        if self._runs_as_planned():
            try:
                # An interrupted command must not stop a node that served its shops before.
                return self._wait_until_ready()
            except NodeEndedError:
                # It was about to end when it was found, because one of its programs had been killed.
                pass
        self.stop()
        self._prepare()
        try:
            self._start()
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process, mount and interface of the node, as a power failure does; its data stays.

        Raises:
            NodeError: something is left.
        """
        for relay in self._relays():
            relay.kill()
        self._holder.kill()
        left = remove_groups(find_groups(self._group))
        if left:
            raise NodeError(f"These control groups of the node cannot be removed: {', '.join(map(str, left))}.")

    def end(self) -> None:
        """Give every program a moment to end after SIGTERM, and stop what is left."""
        pid = self.find_pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            self._holder.wait(STOP_SECONDS)
        self.stop()

    def delete(self) -> None:
        """Stop the node and delete everything except what nodes share."""
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
        serve_names(self.api, self.programs.node.path("coredns"), self.folder.etc / "Corefile")
        self._wait_for(self._has_names, "the cluster's names to be answered")

    def serve_ingress(self) -> None:
        """Start the ingress controller and wait until it responds; needs the system images to be loaded."""
        program = self.programs.ingress.path("traefik")
        # It runs as another user, and this one may have a strict umask.
        program.chmod(0o755)
        apply_ingress(self.api, program, self.programs.ingress_source)
        self._wait_for(lambda: is_ingress_ready(self.api), "the ingress controller to be ready")

    def unready_pods(self) -> list[str]:
        """Return the pods that do not serve since the node's last start, as namespace/name."""
        return unready_pods(self.api, self._plan_path.stat().st_mtime)

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
        if self.find_pid() is not None:
            self._open({port: (address, to_port)})

    def forwards_ports(self) -> bool:
        """Return whether a process forwards ports of this machine, to a node that may have ended."""
        return any(relay.pid() is not None for relay in self._relays())

    def ended_relays(self) -> list[str]:
        """Return the names of the processes that should forward ports and do not run."""
        return [relay.name for relay in self._relays() if relay.pid() is None]

    @property
    def _group(self) -> str:
        return group_name(self.folder.storage)

    def _runs_as_planned(self) -> bool:
        """Return whether the node runs with this port, these programs and this code."""
        if self.find_pid() is None:
            return False
        try:
            return replace(Plan.read(self._plan_path), is_fresh=False) == self._plan(is_fresh=False)
        except (OSError, ValueError, TypeError):
            return False

    @property
    def _plan_path(self) -> Path:
        return self.folder.etc / "plan.json"

    def _plan(self, *, is_fresh: bool) -> Plan:
        built = self.programs
        root, storage = str(self.folder.root), str(self.folder.storage)
        programs = str(built.cluster.folder), str(built.node.folder)
        code = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(INSIDE.glob("*.py")))).hexdigest()[:16]
        return Plan(root, storage, self.port, *programs, code, is_fresh=is_fresh, is_durable=not self._is_bound)

    def _prepare(self) -> None:
        is_fresh = not self.folder.etcd.exists()
        if is_fresh and self._is_bound:
            waiting = "Waiting for another test run's node."
            self._held.enter_context(file_lock(node_cache() / "node.lock", lambda: self._say(waiting)))
        self.folder.make()
        make_keys(self.folder.pki)
        write_configuration(self.folder, self.server, admin_token(self.folder.pki))
        self._plan(is_fresh=is_fresh).write()

    def _start(self) -> None:
        self._say("Starting the node.")
        groups = make_groups(self._group)
        init = [sys.executable, "-m", "cluster.node.inside.init", str(self._plan_path)]
        self._started.unlink(missing_ok=True)
        self._holder.start(["sh", "-c", JOIN, "sh", *map(str, groups), "--", *UNSHARE, *UNSHARE_MOUNTS, *init])

    @property
    def _started(self) -> Path:
        return self.folder.run / "started"

    def _wait_until_ready(self) -> None:
        self._wait_for(self._started.exists, "its programs to start")
        self._open(self._ports)
        self._wait_for(self._is_ready, "the node to be Ready")
        apply_objects(self.api, self.folder)

    def _wait_for(self, condition: Callable[[], bool], what: str) -> None:
        def is_met_while_running() -> bool:
            if self._holder.pid() is None:
                raise NodeEndedError(f"The node ended at its start. {self._log_ends()}")
            return condition()

        if not wait_until(is_met_while_running, READY_SECONDS):
            raise NodeError(f"Waited {READY_SECONDS:.0f} s for {what}. {self._log_ends()}")

    def _is_ready(self) -> bool:
        try:
            return is_node_ready(self.api)
        except ApiServerError:
            return False

    def _has_names(self) -> bool:
        try:
            self.inside("busybox", "timeout", "2", "nslookup", f"kubernetes.default.svc.{layout.DOMAIN}")
        except NodeError:
            return False
        return True

    def _open(self, ports: Ports) -> None:
        words = [str(word) for port, (address, to_port) in ports.items() for word in (port, address, to_port)]
        command = [sys.executable, "-m", "cluster.node.outside.relay", str(self.pid), *words]
        relay = self._process(f"{RELAY}-{next(iter(ports))}")
        if not relay.runs(command):
            relay.kill()
            relay.start(command)

    def _relays(self) -> list[Process]:
        return [self._process(path.stem) for path in self.folder.run.glob(f"{RELAY}-*.json")]

    def _process(self, name: str) -> Process:
        # Kept, because only the object that started a bound process can wait for it.
        return self._processes.setdefault(name, Process(name, self.folder, is_bound=self._is_bound))

    def _log_ends(self) -> str:
        logs = sorted(self.folder.logs.glob("*.log"), key=lambda path: path.name != f"{HOLDER}.log")
        words = []
        for log in logs:
            lines = log.read_text(errors="replace").splitlines()[-4:]
            words.append("\n".join([f"{log.name}:", *(line[:300] for line in lines)]))
        return "The ends of its logs:\n" + "\n".join(words)


def is_node_ready(api: Api) -> bool:
    """Return whether pods can run.

    Raises:
        ApiServerError: the API server does not respond.
    """
    node = api.get(f"/api/v1/nodes/{layout.NODE}")
    account = api.get("/api/v1/namespaces/default/serviceaccounts/default")
    conditions = {each["type"]: each["status"] for each in ((node or {}).get("status") or {}).get("conditions", ())}
    return account is not None and conditions.get("Ready") == "True" and not node["spec"].get("taints")
