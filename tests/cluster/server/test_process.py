"""The server as a process of this machine: started, found again, restarted, stopped."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cluster.doctor.finding import Finding
from cluster.errors import SetupError
from cluster.place import Place
from cluster.ports import free_port
from cluster.server.code import SOURCES
from cluster.server.obstacles import server_obstacles
from cluster.server.port import chosen_port
from cluster.server.process import ServerProcess
from testing.kubectl import wait_for
from testing.script import python_script
from tests.cluster.place import Transcript

# Serves /readyz as `urumi serve` does.
URUMI = """\
import http.server, json, os, signal, sys
from pathlib import Path

state = Path(os.environ["URUMI_STATE_DIR"])
if os.environ.get("SERVER_FAILS"):
    sys.exit("urumi: There is no helm program.")
if os.environ.get("SERVER_IGNORES_SIGTERM"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ.get("READY_SAYS", "ok").encode()
        self.send_response(200 if body == b"ok" else 503)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self):
        return "substitute"


port = int(sys.argv[sys.argv.index("--port") + 1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Ready)
(state / "server.json").write_text(json.dumps({"url": f"http://127.0.0.1:{port}"}))
server.serve_forever()
"""
KUBECONFIG, HELM = Path("/kubeconfig"), Path("/helm")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A checkout with a substitute for the server; one that runs is killed after the test."""
    root = tmp_path / "check out"
    for name in SOURCES:
        (root / name).mkdir(parents=True)
    for name in ("pyproject.toml", "setup.sh"):
        (root / name).touch()
    made = Place(root, tmp_path / "state", Transcript(), root / ".venv" / "bin" / "python")
    made.program("urumi").parent.mkdir(parents=True)
    made.program("urumi").write_text(python_script(URUMI))
    made.program("urumi").chmod(0o755)
    made.remember("local")
    monkeypatch.setenv("URUMI_STATE_DIR", str(made.state))
    monkeypatch.delenv("URUMI_PORT", raising=False)
    yield made
    pid = ServerProcess(made).pid()
    if pid is not None:
        psutil.Process(pid).kill()


def ensure(place: Place, port: int, environ: dict[str, str] | None = None) -> int | None:
    """Start the server and return its pid."""
    server = ServerProcess(place, environ or {})
    server.ensure(port, KUBECONFIG, HELM)
    return server.pid()


def runs(pid: int) -> bool:
    """Return whether a process runs; one that exited may wait for its parent."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_it_is_started_once_and_found_again(place: Place) -> None:
    port = free_port()
    pid = ensure(place, port)
    assert pid is not None
    assert ensure(place, port) == pid
    assert ServerProcess(place).port() == port
    # Where the start takes long, lines that it is waited for come before it.
    assert place.console.lines[-1] == "      The server is already running."  # type: ignore[attr-defined]
    assert psutil.Process(pid).cmdline()[-8:] == [
        "--host", "127.0.0.1", "--port", str(port), "--kubeconfig", "/kubeconfig", "--helm", "/helm",
    ]  # fmt: skip


def test_it_does_not_receive_the_signals_of_the_terminal(place: Place) -> None:
    pid = ensure(place, free_port())
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0)


@pytest.mark.parametrize("change", ["code", "port", "environ"])
def test_a_change_restarts_it(place: Place, change: str) -> None:
    port = free_port()
    pid = ensure(place, port)
    if change == "code":
        (place.root / "server" / "main.py").write_text("VERSION = 2\n")
    changed = ensure(
        place, free_port() if change == "port" else port, {"URUMI_STORE_PORT": "8080"} if change == "environ" else {}
    )
    assert changed not in (None, pid)
    assert not runs(pid or 0)


def test_its_environment_can_be_extended(place: Place) -> None:
    pid = ensure(place, free_port(), {"URUMI_STORE_PORT": "8080"})
    assert psutil.Process(pid).environ()["URUMI_STORE_PORT"] == "8080"


def test_one_older_log_is_kept_and_only_the_user_reads_them(place: Place) -> None:
    server = ServerProcess(place)
    for _ in range(3):
        ensure(place, free_port())
        server.log.write_text("older")
    logs = sorted(place.state.glob("server.log*"))
    assert [log.name for log in logs] == ["server.log", "server.log.1"]
    assert all(log.stat().st_mode & 0o077 == 0 for log in logs)


def test_an_exit_during_startup_shows_the_end_of_the_log(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_FAILS", "yes")
    with pytest.raises(SetupError) as caught:
        ensure(place, free_port())
    assert caught.value.sentence() == (
        f"The server exited during startup. The end of {place.state}/server.log:\n"
        "      urumi: There is no helm program."
    )


def test_a_server_that_does_not_become_ready_reports_why(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READY_SAYS", "stores are not\nlisted yet")
    with pytest.raises(SetupError) as caught:
        ServerProcess(place, ready_seconds=1).ensure(free_port(), KUBECONFIG, HELM)
    expected = "The server is not ready after 1 s: stores are not listed yet"
    assert caught.value.sentence().startswith(expected) or "it does not respond" in caught.value.sentence()


def test_it_is_stopped_and_that_is_reported(place: Place) -> None:
    ensure(place, free_port())
    server = ServerProcess(place)
    assert (server.stop(), server.pid(), server.stop()) == (True, None, False)


def test_a_server_that_ignores_sigterm_is_killed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_IGNORES_SIGTERM", "yes")
    monkeypatch.setattr("cluster.server.process.STOP_SECONDS", 0.5)
    ensure(place, free_port())
    assert ServerProcess(place).stop()
    assert ServerProcess(place).pid() is None


def test_a_server_that_has_no_command_line_any_more_is_still_running(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = ensure(place, free_port())
    # As the kernel shows it from the release of its memory to the release of its port.
    monkeypatch.setattr("cluster.server.process.command_line", lambda pid: "")
    assert ServerProcess(place).pid() == pid
    psutil.Process(pid).kill()
    wait_for(lambda: ServerProcess(place).pid() is None, "the server to end")


@pytest.mark.parametrize("text", ["", "web", "-1", "99999999999999999999", "4000000"])
def test_a_pid_file_without_a_process_means_that_it_is_not_running(place: Place, text: str) -> None:
    (place.state / "server.pid").write_text(text)
    assert ServerProcess(place).pid() is None


def test_another_process_with_its_pid_is_left_running(place: Place) -> None:
    code = "print('here', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stranger:
        # Before its first output it may still be in exec, and have no command line.
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == b"here\n"
        (place.state / "server.pid").write_text(str(stranger.pid))
        assert not ServerProcess(place).stop()
        stranger.communicate(b"\n")
    assert stranger.returncode == 0


# --- The port, and what prevents the server


def obstacles(place: Place) -> list[Finding]:
    """Return what prevents the server."""
    return list(server_obstacles(place, ServerProcess(place)))


def test_the_port_is_the_chosen_one_or_that_of_the_running_server_or_8780(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, port = ServerProcess(place), free_port()
    assert chosen_port(server) == 8780
    ensure(place, port)
    assert chosen_port(server) == port
    monkeypatch.setenv("URUMI_PORT", "08081")
    assert chosen_port(server) == 8081
    monkeypatch.delenv("URUMI_PORT")
    server.stop()
    assert chosen_port(server) == 8780


@pytest.mark.parametrize("given", ["web", "0", "65536", "-1", "123456", "80 80", "²"])
def test_an_invalid_port_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("URUMI_PORT", given)
    with pytest.raises(SetupError, match="URUMI_PORT must be") as caught:
        chosen_port(ServerProcess(place))
    assert f"got '{given}'." in caught.value.message


def test_a_port_in_use_is_an_obstacle_unless_the_server_uses_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("URUMI_PORT", str(port))
    assert obstacles(place) == []
    pid = ensure(place, port)
    assert obstacles(place) == []
    (place.state / "server.pid").rename(place.state / "kept")
    [found] = obstacles(place)
    assert (found.sentence, found.hint) == (
        f"Port {port} of 127.0.0.1 is in use by a server of this checkout, pid {pid}, that is not recorded in"
        f" {place.state}.",
        f"Stop it (kill {pid}), or choose another: URUMI_PORT={port + 1} ./setup.sh",
    )
    (place.state / "kept").rename(place.state / "server.pid")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setenv("URUMI_PORT", str(taken))
        [found] = obstacles(place)
    assert (found.sentence, found.hint) == (
        f"Port {taken} of 127.0.0.1 is in use by another program.",
        f"Choose another: URUMI_PORT={taken + 1} ./setup.sh",
    )


@pytest.mark.parametrize("damage", ["", "{", '{"url": 5}'])
def test_without_the_file_for_clients_the_server_is_found_and_restarted(place: Place, damage: str) -> None:
    port = free_port()
    pid = ensure(place, port)
    place.server_file.write_text(damage)
    server = ServerProcess(place)
    assert server.port() == port
    assert chosen_port(server) == port
    assert obstacles(place) == []
    assert ensure(place, port) != pid
    assert f":{port}" in place.server_file.read_text()


def test_a_server_of_another_checkout_is_an_obstacle(place: Place, tmp_path: Path) -> None:
    ensure(place, free_port())
    second = Place(tmp_path / "second", place.state, place.console, place.python)
    [found] = obstacles(second)
    assert found.sentence == f"Urumi already runs from {place.root}, with its state in {place.state}."
    assert f"(cd '{place.root}' && ./setup.sh down)" in found.hint
    shutil.rmtree(place.root)
    assert obstacles(second) == []
