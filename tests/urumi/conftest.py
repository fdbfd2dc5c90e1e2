"""A peer that implements the protocol, and the command as a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.peer.server import Peer
from tests.urumi.command import Command
from urumi.config import Target


@pytest.fixture(scope="session")
def shared_peer() -> Iterator[Peer]:
    """A peer for the whole session; starting and stopping it takes longer than most tests."""
    server = Peer()
    yield server
    server.stop()


@pytest.fixture
def peer(shared_peer: Peer) -> Peer:
    """A running peer without any state of other tests."""
    shared_peer.start_over()
    return shared_peer


@pytest.fixture
def target(peer: Peer) -> Target:
    """The peer's address and token."""
    return Target(peer.url, peer.token)


@pytest.fixture
def urumi(peer: Peer, tmp_path: Path) -> Iterator[Command]:
    """The command, configured for the peer; its processes end with the test."""
    command = Command(tmp_path, URUMI_URL=peer.url, URUMI_TOKEN=peer.token)
    yield command
    command.end_all()
