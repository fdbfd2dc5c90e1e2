"""What runs: this state folder's server, and servers of other checkouts and users on this machine."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from cluster.access import user_name
from cluster.doctor.environment import run
from cluster.doctor.finding import Finding
from cluster.place import Place


@dataclass(frozen=True, slots=True)
class Server:
    """A process of `urumi serve`: its pid, its user's number and its command line."""

    pid: int
    uid: int
    command: str

    def is_of(self, place: Place) -> bool:
        """Return whether it runs from the checkout."""
        return f"{place.root}{os.sep}.venv{os.sep}" in self.command


def installs(place: Place) -> Iterator[Finding]:
    """Report the cluster of the last start and its server, and every other server on this machine."""
    name, note = place.remembered()
    yield Finding("ok", "cluster", f"{name} {note}".strip() if name else "none was started with this state folder")
    recorded = _recorded(place)
    running = servers()
    for server in running:
        if server.pid == recorded.get("pid"):
            yield _own(place, server, str(recorded.get("url", "")))
        else:
            sentence = f"Another one runs: pid {server.pid} of {user_name(server.uid)}, {server.command}"
            yield Finding("ok", "server", sentence)
    if not running:
        yield Finding("ok", "server", "none runs")


def servers() -> list[Server]:
    """Return every `urumi serve` of this machine that this user can see."""
    done = run(["ps", "-A", "-ww", "-o", "pid=", "-o", "uid=", "-o", "args="])
    lines = done.stdout.splitlines() if isinstance(done, subprocess.CompletedProcess) else []
    found = []
    for line in lines:
        pid, uid, command = (line.split(None, 2) + [""] * 3)[:3]
        if "/urumi serve" in command and pid.isdigit() and uid.isdigit():
            found.append(Server(int(pid), int(uid), command))
    return found


def _own(place: Place, server: Server, url: str) -> Finding:
    sentence = f"{url}, pid {server.pid}"
    if server.is_of(place):
        return Finding("ok", "server", sentence)
    return Finding(
        "note",
        "server",
        f"{sentence} runs from another checkout with the same state folder: {server.command}",
        "Set URUMI_STATE_DIR and URUMI_PORT to give this checkout its own.",
    )


def _recorded(place: Place) -> dict[str, object]:
    try:
        recorded = json.loads(place.server_file.read_text())
    except (OSError, ValueError):
        return {}
    return recorded if isinstance(recorded, dict) else {}
