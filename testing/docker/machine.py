"""PID 1 of the machine in which Docker runs: `python -m testing.docker.machine FOLDER DATA_ROOT GROUP`.

The machine is a set of namespaces: its own mounts, network, processes and host name. Its network has one interface, a
user-mode network (slirp4netns) that the starting process attaches, so nothing is configured on the real machine. When
one of the programs here exits, this process exits, and the kernel ends everything else in the namespaces.

Names below 127.0.0.1.nip.io are answered here with 127.0.0.1, as that public service does; all others are asked of the
real machine's resolver.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cluster.node.host import SEARCH, run
from testing.docker.runtime import missing_capabilities

START_SECONDS = 60.0
INTERFACE = "tap0"
# The user-mode network's own resolver, which asks the real machine's.
OUTER_DNS = "10.0.2.3"
SOCKET = "/run/docker.sock"


def main() -> None:
    """Run the machine until one of its programs exits."""
    folder, data_root, group = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    os.environ["PATH"] = SEARCH
    _mount_private(folder)
    run("ip", "link", "set", "lo", "up")
    (folder / "namespaces").touch()
    _wait(lambda: f" {INTERFACE}:" in Path("/proc/net/dev").read_text(), f"the interface {INTERFACE}")
    children: dict[int, str] = {}
    for name, command in _commands(folder, data_root, group).items():
        with (folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        children[process.pid] = name
    _wait(lambda: _is_up(children), "Docker")
    (folder / "started").touch()
    while True:
        _stop_if_ended(children, *os.wait())


def _mount_private(folder: Path) -> None:
    run("mount", "--bind", folder, folder)
    # The link may point into /run, so its target is created there again.
    resolv = Path("/etc/resolv.conf").resolve()
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    Path("/run/lock").mkdir()
    if resolv.is_relative_to("/run"):
        resolv.parent.mkdir(parents=True, exist_ok=True)
        resolv.touch()
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    run("mount", "--bind", folder / "resolv.conf", resolv)


def _commands(folder: Path, data_root: Path, group: str) -> dict[str, list[str]]:
    names = ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--bind-interfaces", "--user=root"]
    names += ["--listen-address=127.0.0.1", f"--server={OUTER_DNS}", "--address=/127.0.0.1.nip.io/localhost/127.0.0.1"]
    docker = ["dockerd", "--data-root", str(data_root), "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid"]
    docker += ["--host", f"unix://{SOCKET}", "--dns", OUTER_DNS, "--cgroup-parent", f"/{group}"]
    if missing_capabilities():
        program = folder / "runc-here"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("runtime.py")} "$@"\n')
        program.chmod(0o755)
        docker += ["--add-runtime", f"here={program}", "--default-runtime", "here"]
    return {"dnsmasq": names, "dockerd": docker}


def _is_up(children: dict[int, str]) -> bool:
    _stop_if_ended(children, *os.waitpid(-1, os.WNOHANG))
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def _stop_if_ended(children: dict[int, str], pid: int, status: int) -> None:
    # Any other pid is an orphan whose parent exited before it.
    if pid in children:
        sys.exit(f"{children[pid]} ended with {os.waitstatus_to_exitcode(status)}")


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"waited {START_SECONDS:.0f} s for {what}")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
