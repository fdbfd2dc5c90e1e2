"""scripts/check runs every check, even after a failure, and prints the time and the result of each."""

import pytest

from tests.setup.checkout import Checkout, write_program

TOOLS = ("ruff", "mypy", "lint-imports", "shellcheck")
TOOL = '#!/bin/bash\necho "$(basename "$0") $*" >>"$CALLS"\n[ "${FAILS:-}" != "$(basename "$0")" ]\n'


@pytest.fixture
def tools(checkout: Checkout) -> Checkout:
    """A checkout with substitutes for its tools."""
    for name in TOOLS:
        write_program(checkout.stand_ins / "venv" / "bin" / name, TOOL.replace('$(basename "$0")', name))
    return checkout


def test_all_checks_run(tools: Checkout) -> None:
    done = tools.run("--static", program="scripts/check")
    assert (done.code, done.lines[-1]) == (0, "All checks passed.")
    assert tools.calls("ruff") == ["ruff format --check .", "ruff check ."]
    assert tools.calls("mypy") + tools.calls("lint-imports") == ["mypy ", "lint-imports "]
    assert tools.calls("shellcheck") == ["shellcheck setup.sh scripts/check scripts/images scripts/lock .ci/run"]


def test_one_failure_fails_the_run_and_is_named_at_the_end(tools: Checkout) -> None:
    done = tools.run("--static", program="scripts/check", FAILS="mypy")
    assert (done.code, done.sentence) == (1, "Failed: types")
    assert tools.calls("shellcheck") != []


def test_the_tests_are_part_of_it(tools: Checkout) -> None:
    tools.stand_in("chromium", "#!/bin/bash\n")
    tools.stand_in("tmux", "#!/bin/bash\n")
    tools.stand_in("npm", "#!/bin/bash\n")
    done = tools.run(program="scripts/check", PYTEST_CODE="1")
    assert any(line.startswith("pytest -n 3") for line in done.lines)
    assert (done.code, done.sentence) == (1, "Failed: tests")


def test_the_fast_tests_run_without_an_installation(tools: Checkout) -> None:
    done = tools.run("--fast", program="scripts/check")
    assert (done.code, done.lines[-1]) == (0, "All checks passed.")
    assert any(line.startswith("pytest -q --fast -n 3") for line in done.lines)
    assert any(line.startswith("tests    passed in ") for line in done.lines)
    assert tools.calls("apt-get") == []


def test_without_an_environment_no_check_is_reported_as_passed(tools: Checkout) -> None:
    tools.without("python3")
    done = tools.run("--static", program="scripts/check")
    assert done.code == 1
    assert "Urumi needs Python 3.11" in done.err


def test_an_unknown_argument_is_refused(tools: Checkout) -> None:
    done = tools.run("--splendid", program="scripts/check")
    assert (done.code, done.err) == (2, "usage: scripts/check [--fast | --static]\n")
