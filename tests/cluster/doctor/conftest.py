"""A place to examine, and another user than root."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.place import Place
from tests.cluster.place import make_place

NOBODY = 65534


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place whose folders exist, all below one folder that every user may enter."""
    made = make_place(tmp_path)
    for folder in (made.root, made.state, tmp_path / "cache", tmp_path / "temporary"):
        folder.mkdir()
    monkeypatch.setenv("URUMI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("cluster.doctor.folders.temporary", lambda: tmp_path / "temporary")
    return made


@pytest.fixture
def another_user(tmp_path: Path) -> Iterator[None]:
    """Run the test without root's rights, as a user who may enter the test's folders; root owns them."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)
