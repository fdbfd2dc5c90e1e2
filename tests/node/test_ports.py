"""The ports of the product's node: chosen once, kept, and never taken from another program."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.node.errors import NodeError
from cluster.node.product.ports import DEFAULTS, HTTP, HTTPS, NodePorts, choose_ports
from cluster.ports import free_port

NOTHING: frozenset[int] = frozenset()


@pytest.fixture(autouse=True)
def _no_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DEFAULTS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_the_first_start_takes_the_next_free_ports(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_port()
    monkeypatch.setitem(DEFAULTS, HTTP, taken)
    monkeypatch.setitem(DEFAULTS, HTTPS, first)

    ports = choose_ports(None, NOTHING)

    assert ports.http > taken
    assert ports.https == first
    assert len({ports.api, ports.http, ports.https}) == 3


def test_later_starts_keep_the_ports(tmp_path: Path) -> None:
    known = NodePorts(free_port(), free_port(), free_port())
    known.write(tmp_path / "ports.json")

    assert NodePorts.read(tmp_path / "ports.json") == known
    assert choose_ports(known, NOTHING) == known
    assert choose_ports(known, frozenset((known.api, known.http, known.https))) == known


def test_a_taken_port_of_the_shops_ends_the_start(taken: int) -> None:
    with pytest.raises(NodeError) as refused:
        choose_ports(NodePorts(free_port(), taken, free_port()), NOTHING)

    assert refused.value.sentence() == (
        f"Port {taken} of 127.0.0.1, which is in the addresses of your shops, is in use by another program."
        f" Stop that program, or choose another: URUMI_HTTP_PORT={taken + 1} ./setup.sh --cluster node"
    )


def test_a_taken_port_of_the_api_server_is_replaced(taken: int) -> None:
    known = NodePorts(taken, free_port(), free_port())

    assert choose_ports(known, NOTHING).api != taken


@pytest.mark.parametrize(("given", "expected"), [("web", "got 'web'"), ("70000", "got '70000'"), ("0", "got '0'")])
def test_a_wish_that_is_no_port_is_refused(given: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HTTP, given)

    with pytest.raises(NodeError, match=f"URUMI_HTTP_PORT must be a port from 1 to 65535, {expected}"):
        choose_ports(None, NOTHING)


def test_a_wish_for_a_taken_port_is_refused(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HTTPS, str(taken))

    with pytest.raises(NodeError, match=f"Port {taken} of 127.0.0.1 is in use by another program."):
        choose_ports(None, NOTHING)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"api": "x", "http": 1, "https": 2}'])
def test_a_damaged_record_counts_as_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text(content)

    assert NodePorts.read(tmp_path / "ports.json") is None
