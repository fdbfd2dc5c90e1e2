"""A peer that implements the protocol, as the server of the dashboard."""

import os
import time
from collections.abc import Iterator

import pytest

from testing.peer.server import Peer
from urumi.config import Target


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Remove the settings of the user and the machine: colours, servers, files, time zone."""
    folder = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("URUMI_")]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "TEXTUAL_THEME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setenv("URUMI_STATE_DIR", str(folder / "state"))
    monkeypatch.setenv("URUMI_CONFIG", str(folder / "config.toml"))
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="module")
def whole_dashboard() -> None:
    """Used by every test that runs the whole dashboard; marks it with `dashboard`."""


@pytest.fixture(scope="module")
def module_peer(whole_dashboard: None) -> Iterator[Peer]:
    """The one peer of a module; starting and stopping takes longer than most tests."""
    server = Peer()
    yield server
    server.stop()


@pytest.fixture
def peer(module_peer: Peer) -> Peer:
    """A running server without state of other tests."""
    module_peer.start_over()
    return module_peer


@pytest.fixture
def target(peer: Peer) -> Target:
    """The peer's address and token."""
    return Target(peer.url, peer.token)
