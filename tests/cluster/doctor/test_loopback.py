"""The loopback interface, its names and the server's port, on real sockets; broken ones in a network namespace."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.doctor.loopback import loopback, names, server_port
from cluster.place import Place

SOURCE = Path(__file__).resolve().parents[3]
LOOK = """
from cluster.doctor.loopback import loopback, names
for finding in (*loopback(None), *names(None)):
    print(finding.level, finding.subject, finding.sentence, finding.hint, sep="|")
"""
is_root = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs root on Linux, for namespaces")


def in_namespace(before: str) -> list[str]:
    """Return the findings in a new network and mount namespace, after some commands of a shell."""
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-ec", f'{before}\nexec "$0" -c "$LOOK"', sys.executable],
        env={**os.environ, "LOOK": LOOK, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_this_machine_has_a_loopback_interface(place: Place) -> None:
    first, second = loopback(place)
    assert (first.level, first.sentence) == ("ok", "127.0.0.1")
    assert second.level == "ok"


@pytest.mark.slow
@is_root
def test_an_interface_that_is_down_is_a_problem() -> None:
    first = in_namespace("true")[0]
    assert first.startswith("problem|loopback|No connection over 127.0.0.1 is possible: ")
    assert first.endswith("|Bring the loopback interface up: sudo ip link set lo up")


@pytest.mark.slow
@is_root
def test_without_ipv6_nothing_is_wrong() -> None:
    found = in_namespace("ip link set lo up\necho 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6")
    assert found[0] == "ok|loopback|127.0.0.1|"
    assert found[1].startswith("ok|loopback IPv6|::1 is not available (")


@pytest.mark.slow
@is_root
def test_a_localhost_with_ipv6_only_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("::1 localhost\n")
    found = in_namespace(f"ip link set lo up\nmount --bind '{tmp_path}/hosts' /etc/hosts")
    note = "note|localhost|localhost resolves to ::1, not to 127.0.0.1; Urumi uses the address."
    assert found[2] == f"{note}|Add the line `127.0.0.1 localhost` to /etc/hosts."


def test_a_name_that_does_not_resolve_is_a_note(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    first, second = names(place)
    assert (first.level, second.level) == ("note", "ok")
    assert "localhost does not resolve, not to 127.0.0.1" in first.sentence


def test_a_port_in_use_is_a_problem_unless_it_is_urumis(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("URUMI_PORT", str(port))
        [finding] = server_port(place)
        assert (finding.level, finding.sentence) == (
            "problem",
            f"Port {port} of 127.0.0.1 is in use by another program.",
        )
        assert finding.hint == f"Choose another: URUMI_PORT={port + 1} ./setup.sh"
        place.server_file.write_text(f'{{"url": "http://127.0.0.1:{port}"}}')
        assert [each.level for each in server_port(place)] == ["ok"]
    assert [each.sentence for each in server_port(place)] == [f"{port} is free"]


@pytest.mark.parametrize("text", ["web", "0", "65536", "-1", "80 80"])
def test_an_invalid_port_is_a_problem(place: Place, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("URUMI_PORT", text)
    assert [each.level for each in server_port(place)] == ["problem"]
