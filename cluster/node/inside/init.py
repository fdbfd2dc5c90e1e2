"""PID 1 of the node's namespaces: `python -m cluster.node.inside.init PLAN`.

It creates private mounts and a private network, starts the node's programs in order and exits when one of them exits;
the kernel then kills all other processes in the namespaces and deletes the namespaces. Nothing outside is changed: what
programs write below /var and into the machine's sysctls stays in overlays and files of the node.

SIGTERM is forwarded to every process in the namespaces, so that databases can write what they have.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from cluster.api import Api
from cluster.node import layout
from cluster.node.cgroups import mounts
from cluster.node.folders import NodeFolder
from cluster.node.host import SEARCH, run
from cluster.node.inside.commands import Programs, first_commands, later_commands
from cluster.node.inside.plan import Plan
from cluster.node.keys import admin_token

READY_SECONDS = 120.0
STOP_SECONDS = 10.0
# Sysctls that the kubelet, kube-proxy and the bridge require.
SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
NET_SYSCTLS = {"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"}


def main() -> None:
    """Run the node until one of its programs exits."""
    plan = Plan.read(Path(sys.argv[1]))
    folder, programs = plan.folder, Programs(Path(plan.cluster_programs), Path(plan.node_programs))
    signal.signal(signal.SIGTERM, _raise_stopped)
    try:
        _run(plan, folder, programs)
    except Stopped:
        _end_everything()


def _run(plan: Plan, folder: NodeFolder, programs: Programs) -> None:
    os.environ.update({"PATH": SEARCH, "HOME": str(folder.root), "CONFIG_MOUNT_PATH": str(folder.etc / "volumes")})
    _mount_groups()
    _mount_private(folder)
    _make_network(plan.port)
    children: dict[int, str] = {}
    _start(children, first_commands(folder, programs, is_durable=plan.is_durable), folder)
    _wait_for_containerd()
    if plan.is_fresh:
        _forget_containers()
    api = Api(f"https://127.0.0.1:{plan.port}", (folder.pki / "ca.crt").read_text(), admin_token(folder.pki))
    _wait_for_api(api, children)
    _start(children, later_commands(folder, programs), folder)
    (folder.run / "started").touch()
    while True:
        _stop_if_ended(children, *os.wait())


class Stopped(BaseException):
    """SIGTERM arrived."""


def _raise_stopped(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


def _end_everything() -> None:
    deadline = time.monotonic() + STOP_SECONDS
    os.kill(-1, signal.SIGTERM)
    with suppress(ChildProcessError):
        # Orphans become children of this process, so without children nothing is left.
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)


def _mount_groups() -> None:
    found = mounts()
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    if any(kind == "cgroup2" and point == "/sys/fs/cgroup" for point, kind, _ in found):
        run("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
        return
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/sys/fs/cgroup")
    for point, kind, options in found:
        Path(point).mkdir(exist_ok=True)
        names = ",".join(name for name in options.split(",") if name not in ("rw", "ro"))
        run("mount", "-t", kind, *(["-o", names] if kind == "cgroup" else []), kind, point)


def _mount_private(folder: NodeFolder) -> None:
    # Opened before new mounts cover /run and /var, because the folders may be in them.
    kept = {path: os.open(path, os.O_PATH) for path in (folder.root, folder.storage)}
    # The link may point into /run, so its target is created there again.
    resolv = Path("/etc/resolv.conf").resolve()
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in ("lock", "var-upper", "var-work"):
        Path("/run", name).mkdir()
    run("mount", "-t", "overlay", "-o", "lowerdir=/var,upperdir=/run/var-upper,workdir=/run/var-work", "var", "/var")
    for path, descriptor in kept.items():
        path.mkdir(parents=True, exist_ok=True)
        _bind(f"/proc/{os.getpid()}/fd/{descriptor}", path)
        os.close(descriptor)
    layout.KUBELET_FOLDER.mkdir(parents=True, exist_ok=True)
    _bind(folder.kubelet, layout.KUBELET_FOLDER)
    if resolv.is_relative_to("/run"):
        resolv.parent.mkdir(parents=True, exist_ok=True)
        resolv.touch()
    run("mount", "--bind", folder.etc / "resolv.conf", resolv)
    for name, value in SYSCTLS.items():
        file = folder.etc / f"sysctl-{name.replace('/', '-')}"
        file.write_text(f"{value}\n")
        run("mount", "--bind", file, f"/proc/sys/{name}")


def _bind(source: Path | str, target: Path) -> None:
    # Otherwise `mount` replaces a descriptor by its path, where another mount is by now.
    run("mount", "--no-canonicalize", "--bind", source, target)
    # What the kubelet mounts for one pod must be seen in the other copies.
    run("mount", "--make-rshared", target)


def _make_network(port: int) -> None:
    run("hostname", layout.NODE)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "node0", "type", "bridge")
    run("ip", "address", "add", f"{layout.NODE_ADDRESS}/24", "dev", "node0")
    run("ip", "link", "set", "node0", "up")
    # A default route without a gateway, for programs that determine their address from it.
    run("ip", "route", "add", "default", "dev", "node0")
    for name, value in NET_SYSCTLS.items():
        Path("/proc/sys", name).write_text(value)
    # The outside port also reaches the API server in here, so that one kubeconfig is valid on both sides.
    local = ("--protocol", "tcp", "--destination", "127.0.0.1", "--dport", str(port))
    run(
        "iptables",
        "--table",
        "nat",
        "--append",
        "OUTPUT",
        *local,
        "--jump",
        "REDIRECT",
        f"--to-ports={layout.API_PORT}",
    )
    # The first packet of each connection is queued for kube-network-policies, after the translation of Service
    # addresses. Its own nftables rules do the same, but need a kernel with NFT_QUEUE. Packets of the node pass.
    fresh = ("--match", "conntrack", "!", "--ctstate", "ESTABLISHED,RELATED")
    queue = ("--jump", "NFQUEUE", "--queue-num", str(layout.POLICY_QUEUE))
    for chain, source in (("FORWARD", "0.0.0.0/0"), ("INPUT", layout.POD_RANGE)):
        run("iptables", "--append", chain, "--source", source, *fresh, *queue)


def _start(children: dict[int, str], commands: dict[str, list[str]], folder: NodeFolder) -> None:
    for name, command in commands.items():
        with (folder.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=folder.root, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        children[process.pid] = name


def _stop_if_ended(children: dict[int, str], pid: int, status: int) -> None:
    # Any other pid is an orphan whose parent exited before it.
    if pid in children:
        sys.exit(f"{children[pid]} ended with {os.waitstatus_to_exitcode(status)}")


def _wait_for_containerd() -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not Path(layout.CONTAINERD_SOCKET).exists():
        if time.monotonic() > deadline:
            sys.exit(f"containerd made no socket in {READY_SECONDS:.0f} s")
        time.sleep(0.05)


def _wait_for_api(api: Api, children: dict[int, str]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not api.is_ready():
        _stop_if_ended(children, *os.waitpid(-1, os.WNOHANG))
        if time.monotonic() > deadline:
            sys.exit(f"the API server is not ready after {READY_SECONDS:.0f} s: {api.unready_checks()}")
        time.sleep(0.1)


def _forget_containers() -> None:
    """Delete the records of an earlier node in containerd's storage; its processes have already ended."""
    ctr = ("ctr", "--address", layout.CONTAINERD_SOCKET, "--namespace", "k8s.io", "containers")
    names = run(*ctr, "list", "--quiet").split()
    if names:
        run(*ctr, "delete", *names)


if __name__ == "__main__":
    main()
