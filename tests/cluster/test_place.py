"""What setup.sh keeps between runs, its output, and the digest of the server's code."""

import time
from pathlib import Path

import pytest

from cluster.console import Terminal
from cluster.server.code import SOURCES, code_digest
from tests.cluster.place import make_place


def test_the_cluster_of_the_last_run_is_remembered_with_its_note(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    assert place.remembered() == ("", "")
    place.remember("current", "prod eu")
    assert place.remembered() == ("current", "prod eu")
    place.remember("local")
    assert place.remembered() == ("local", "")
    place.forget()
    assert place.remembered() == ("", "")


def test_a_damaged_file_is_no_known_cluster(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    place.remember("local")
    (place.state / "where").write_bytes(b"\xff\xfe\x00")
    assert place.remembered()[0] not in ("local", "node", "kind", "current")


def test_the_state_folder_is_for_the_user_only(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    place.remember("local")
    assert place.state.stat().st_mode & 0o077 == 0


def test_a_row_has_the_columns_of_the_cluster_s_status(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().row("server", "not running")
    assert capsys.readouterr().out == "server                   not running\n"


def test_a_ticker_prints_until_its_block_ends(capsys: pytest.CaptureFixture[str]) -> None:
    out = ""
    with Terminal(tick_seconds=0.01).ticker():
        deadline = time.monotonic() + 10
        while "still running" not in out and time.monotonic() < deadline:
            out += capsys.readouterr().out
    assert out.startswith("      still running, 0 s\n")
    capsys.readouterr()
    assert capsys.readouterr().out == ""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with a file in each source folder of the server."""
    for name in SOURCES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.py").write_text("VERSION = 1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


@pytest.mark.parametrize("name", [*(f"{folder}/main.py" for folder in SOURCES), "pyproject.toml", "server/new.py"])
def test_each_change_of_the_code_changes_its_digest(code: Path, name: str) -> None:
    before = code_digest(code)
    (code / name).write_text("VERSION = 2\n")
    assert code_digest(code) != before


def test_compiled_files_and_times_do_not_change_the_digest(code: Path) -> None:
    before = code_digest(code)
    (code / "urumi" / "main.pyc").write_bytes(b"compiled")
    (code / "urumi" / "main.py").touch()
    assert code_digest(code) == before
