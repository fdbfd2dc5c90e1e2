"""The files of an image and their digest: both change together, and nothing else changes them."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from cluster.node.folders import ROOT
from cluster.node.images.context import context_digest, context_files, copy_context, open_context
from cluster.node.images.server import SERVER

IGNORE_FILE = ROOT / "server" / "Dockerfile.dockerignore"
UNRELATED = ("docs/page.md", "tests/test_a.py", "charts/medusa/image/server.js", "server/__pycache__/a.pyc", ".git/x")


def write(folder: Path, paths: Sequence[str], text: str) -> None:
    """Write a text to files of a folder."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of what the server's image is built from, with unrelated files beside it."""
    copy = tmp_path / "repository"
    copy_context(ROOT, copy, IGNORE_FILE)
    for path in (
        "docs/page.md",
        "tests/test_a.py",
        "charts/medusa/image/server.js",
        "server/__pycache__/a.pyc",
        ".git/x",
    ):
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_text("unrelated")
    return copy


@pytest.mark.parametrize(
    "path",
    [
        "server/app.py",
        "server/Dockerfile",
        "server/requirements.txt",
        "reconciler/helm/runner.py",
        "urumi/wire.py",
        "tui/main.py",
        "cluster/go.sum",
        "charts/medusa/values.yaml",
        "charts/woocommerce/templates/wordpress.yaml",
        "pyproject.toml",
    ],
)
def test_a_changed_input_of_the_servers_image_changes_its_digest(repository: Path, path: str) -> None:
    before = context_digest(repository, IGNORE_FILE)
    with (repository / path).open("a") as file:
        file.write("\n")
    assert context_digest(repository, IGNORE_FILE) != before


def test_unrelated_files_are_left_out_and_leave_the_digest(repository: Path, tmp_path: Path) -> None:
    before = context_digest(repository, IGNORE_FILE)
    assert before == context_digest(ROOT, IGNORE_FILE)
    for path in (
        "docs/page.md",
        "tests/test_a.py",
        "charts/medusa/image/server.js",
        "server/__pycache__/a.pyc",
        ".git/x",
    ):
        (repository / path).write_text("changed")
    assert context_digest(repository, IGNORE_FILE) == before
    copy_context(repository, tmp_path / "copy", IGNORE_FILE)
    assert context_files(tmp_path / "copy") == context_files(ROOT, IGNORE_FILE)


def test_a_context_without_an_ignore_file_is_the_whole_folder(tmp_path: Path) -> None:
    write(tmp_path, ("a", "b/c", "node_modules/d"), "text")
    assert context_files(tmp_path) == [Path("a"), Path("b/c")]
    before = context_digest(tmp_path)
    shutil.move(tmp_path / "a", tmp_path / "e")
    assert context_digest(tmp_path) != before


def test_a_checkout_of_a_strict_user_makes_the_same_image(tmp_path: Path) -> None:
    write(tmp_path / "usual", ("a", "b/run"), "text")
    (tmp_path / "usual" / "b" / "run").chmod(0o755)
    shutil.copytree(tmp_path / "usual", tmp_path / "strict")
    for path, mode in (("a", 0o600), ("b/run", 0o700), ("b", 0o700)):
        (tmp_path / "strict" / path).chmod(mode)
    assert context_digest(tmp_path / "strict") == context_digest(tmp_path / "usual")

    copy_context(tmp_path / "strict", tmp_path / "copy")
    open_context(tmp_path / "copy")

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "copy").rglob("*")}
    assert modes == {"a": 0o644, "b": 0o755, "run": 0o755}


def test_the_servers_image_has_the_tag_that_the_platforms_chart_uses() -> None:
    assert f'appVersion: "{SERVER.name.partition(":")[2]}"' in (ROOT / "charts/platform/Chart.yaml").read_text()
