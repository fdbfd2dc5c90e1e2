"""setup.sh, which has no package before the environment exists, finds the same folders as `urumi`."""

import sys
from pathlib import Path

import platformdirs
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

import urumi.config
from cluster.folders import cache_root, state_root

VARIABLES = ("URUMI_STATE_DIR", "URUMI_CACHE_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME")


@pytest.mark.parametrize(("system", "library"), [("linux", Unix), ("darwin", MacOS)], ids=["Linux", "macOS"])
@pytest.mark.parametrize("given", ["", "/elsewhere/a b", "relative"])
@pytest.mark.parametrize("home", ["/home/anna", "/home/anna and bob"])
def test_the_folders_are_those_of_platformdirs(
    system: str, library: type[Unix] | type[MacOS], given: str, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        if given and name.startswith("XDG"):
            monkeypatch.setenv(name, given)
    monkeypatch.setenv("HOME", home)
    monkeypatch.setattr(sys, "platform", system)
    found = library("urumi")
    assert (cache_root(), state_root()) == (found.user_cache_path, found.user_state_path)


def test_urumi_reads_the_same_state(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert state_root() == urumi.config.state_dir() == platformdirs.user_state_path("urumi")
    monkeypatch.setenv("URUMI_STATE_DIR", "/a b")
    assert state_root() == urumi.config.state_dir() == Path("/a b")
