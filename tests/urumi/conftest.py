"""A peer that speaks the protocol, and the command as a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.peer import Peer
from tests.urumi.command import Command
from urumi.config import Target


@pytest.fixture(scope="session")
def shared_peer() -> Iterator[Peer]:
    """The one peer of the whole run; starting and stopping takes longer than most tests."""
    server = Peer()
    yield server
    server.stop()


@pytest.fixture
def peer(shared_peer: Peer) -> Peer:
    """A server that is up and knows nothing of other tests."""
    shared_peer.start_over()
    return shared_peer


@pytest.fixture
def target(peer: Peer) -> Target:
    """The peer's address and token."""
    return Target(peer.url, peer.token)


@pytest.fixture
def urumi(peer: Peer, tmp_path: Path) -> Iterator[Command]:
    """The command, pointed at the peer; nothing that a test starts outlives it."""
    command = Command(tmp_path, URUMI_URL=peer.url, URUMI_TOKEN=peer.token)
    yield command
    command.end_all()
