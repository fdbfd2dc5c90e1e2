"""Which tests an option selects, and that a seed repeats a run: pytest runs on a few tests in a temporary folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """\
import pytest

def test_unit(): ...
def test_random(rng): assert False, f"drawn {rng.random()}"
def test_cluster(local_cluster): ...
@pytest.mark.parametrize("engine", ["one", "other"])
@pytest.mark.parametrize("variant", ["first", "second"])
def test_store(local_cluster, store_id, engine, variant): ...
@pytest.mark.thorough
def test_long(): ...
@pytest.mark.node
def test_node(): ...
@pytest.mark.docker
def test_docker(): ...
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a few tests."""
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = .\nmarkers =\n  thorough:\n  node:\n  docker:\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    """Run pytest in the folder with the options of this project, and return its output."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--fast"], {"unit", "random"}),
        ([], {"unit", "random", "cluster", "store[first-one]", "store[first-other]"}),
        (
            ["--all"],
            {
                "unit",
                "random",
                "cluster",
                "long",
                *(f"store[{v}-{e}]" for v in ("first", "second") for e in ("one", "other")),
            },
        ),
        (["test_some.py", "-k", "store"], {f"store[{v}-{e}]" for v in ("first", "second") for e in ("one", "other")}),
        (["--node"], {"node"}),
        (["--docker"], {"docker"}),
    ],
    ids=["fast", "default", "all", "path", "node", "docker"],
)
def test_a_tier_follows_from_what_tests_use(folder: Path, arguments: list[str], expected: set[str]) -> None:
    output = run(folder, "--collect-only", "-q", *arguments)
    assert set(re.findall(r"::test_(\S+)", output)) == expected


@pytest.mark.parametrize("processes", [[], ["-n", "1"]], ids=["here", "worker"])
def test_the_seed_of_a_failure_repeats_it(folder: Path, processes: list[str]) -> None:
    first = run(folder, "-k", "random", *processes)
    [seed] = set(re.findall(r"--seed (\d+)", first))
    again = run(folder, "-k", "random", "--seed", seed)
    other = run(folder, "-k", "random", "--seed", f"{seed}1")
    drawn = [re.findall(r"drawn (0\.\d+)", output)[0] for output in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]
