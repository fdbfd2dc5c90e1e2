"""Free space in the folders, and the contents of the cache."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from cluster.doctor.space import cache, space
from cluster.place import Place

Usage = namedtuple("Usage", "total used free")  # as shutil.disk_usage returns it


def test_too_little_space_is_a_problem_with_what_is_needed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(9, 9, 1_200_000_000))
    found = {finding.subject: finding for finding in space(place)}
    assert found["state space"].level == "ok"
    assert found["cache space"].level == "problem"
    cache_folder = place.root.parent / "cache"
    assert found["cache space"].sentence == f"1.2 GB free; 4.0 GB needed, at {cache_folder}."
    assert found["cache space"].hint == "Free some space, or set URUMI_CACHE_DIR to a folder on a larger disk."


def test_a_later_start_needs_less(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (place.root.parent / "cache" / "bin").mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(9, 9, 1_200_000_000))
    assert [finding.level for finding in space(place) if finding.subject == "cache space"] == ["ok"]


def test_the_cache_is_listed_with_sizes(place: Place) -> None:
    folder = place.root.parent / "cache" / "bin" / "abc"
    folder.mkdir(parents=True)
    (folder / "helm").write_bytes(bytes(3_000_000))
    assert [finding.sentence for finding in cache(place)] == ["bin 3 MB"]


def test_an_empty_and_a_missing_cache_are_told(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert [finding.sentence for finding in cache(place)] == ["nothing"]
    monkeypatch.setenv("URUMI_CACHE_DIR", str(tmp_path / "none"))
    assert [finding.sentence for finding in cache(place)] == ["nothing"]
