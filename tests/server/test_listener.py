"""The sockets of the server: both address families, and the options of each."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest

from server.http import listener
from server.http.listener import has_ipv6, listeners
from server.settings import ServerSettings
from testing.serve import free_port
from urumi.errors import ConfigError

ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this host has no IPv6")


@contextlib.contextmanager
def listening(host: str) -> Iterator[int]:
    """Listen on a host, and return the port."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        for each in listeners(ServerSettings(host=host, port=port)):
            stack.enter_context(each).listen()
        yield port


def answers(host: str, port: int) -> bool:
    """Return whether something listens there."""
    try:
        with socket.create_connection((host, port), timeout=10):
            return True
    except ConnectionRefusedError:
        return False


@ipv6
@pytest.mark.parametrize(
    ("host", "reachable"),
    [
        ("127.0.0.1", {"127.0.0.1"}),
        ("0.0.0.0", {"127.0.0.1"}),  # noqa: S104 - the case under test
        ("::1", {"::1"}),
        ("[::1]", {"::1"}),
        ("::", {"127.0.0.1", "::1"}),
    ],
)
def test_a_host_is_reachable_at_its_addresses(host: str, reachable: set[str]) -> None:
    with listening(host) as port:
        assert {each for each in ("127.0.0.1", "::1") if answers(each, port)} == reachable


def test_every_address_is_every_ipv4_address_on_a_host_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "has_ipv6", lambda: False)
    with listening("::") as port:
        assert answers("127.0.0.1", port)


@ipv6
def test_a_name_is_reachable_at_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def both(host: str, port: int, **options: object) -> list[object]:
        return [each for address in ("::1", "127.0.0.1") for each in resolve(address, port, **options)]  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with listening("platform.example") as port:
        monkeypatch.undo()
        assert answers("127.0.0.1", port)
        assert answers("::1", port)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), pytest.param("::1", "[::1]", marks=ipv6)])
def test_a_port_in_use_is_named(host: str, shown: str) -> None:
    with listening(host) as port, pytest.raises(ConfigError, match="Address already in use") as refused:
        listeners(ServerSettings(host=host, port=port))
    assert f"Cannot listen on {shown}:{port}" in refused.value.message


def test_an_unknown_name_is_named() -> None:
    with pytest.raises(ConfigError, match=r"Cannot listen on nowhere\.invalid:8780: Name or service not known"):
        listeners(ServerSettings(host="nowhere.invalid"))


@pytest.mark.anyio
async def test_a_part_of_a_response_is_sent_before_the_previous_one_is_acknowledged() -> None:
    port = free_port()
    connected: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = writer.get_extra_info("socket")
        connected.set_result(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    (bound,) = listeners(ServerSettings(port=port))
    async with await asyncio.start_server(take, sock=bound):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(connected, 30) == 1
        writer.close()
        await writer.wait_closed()
