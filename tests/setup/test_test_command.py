"""What `./setup.sh test` and `dev` install before they run, and their messages when that fails."""

import pytest

from tests.setup.checkout import Checkout, sentence_of


def with_root(checkout: Checkout, *, is_root: bool) -> None:
    """Simulate a run as root, or as a user who cannot become root."""
    checkout.stand_in("id", f"#!/bin/bash\necho {0 if is_root else 1000}\n")
    checkout.stand_in("apt-get", '#!/bin/bash\necho "apt-get $*" >>"$CALLS"\n')
    checkout.stand_in("sudo", "#!/bin/bash\nexit 1\n")


def test_tests_get_their_packages_and_arguments(checkout: Checkout) -> None:
    with_root(checkout, is_root=True)
    done = checkout.run("test", "tests/urumi", "-k", "book or wire", PYTEST_CODE="5")
    assert (done.code, done.lines[-1]) == (5, "pytest tests/urumi -k book or wire")
    assert [line for line in checkout.calls("apt-get") if "install" in line] == [
        "apt-get install -qq -y --no-install-recommends chromium",
        "apt-get install -qq -y --no-install-recommends tmux",
        "apt-get install -qq -y --no-install-recommends php-cli php-mysql php-zip",
        "apt-get install -qq -y --no-install-recommends mariadb-server-core mariadb-client-core",
        "apt-get install -qq -y --no-install-recommends postgresql",
        "apt-get install -qq -y --no-install-recommends redis-server",
        "apt-get install -qq -y --no-install-recommends nginx",
        "apt-get install -qq -y --no-install-recommends busybox-static gawk mawk",
        "apt-get install -qq -y --no-install-recommends zsh fish",
        "apt-get install -qq -y --no-install-recommends npm",
    ]


@pytest.mark.parametrize("arguments", [[], ["--all"]], ids=["default", "all"])
def test_a_whole_tier_runs_in_parallel(checkout: Checkout, arguments: list[str]) -> None:
    with_root(checkout, is_root=True)
    last = checkout.run("test", *arguments).lines[-1]
    assert last.startswith(" ".join(["pytest", *arguments, "-n 3"]))
    assert "--dist loadfile --no-loadscope-reorder" in last


def test_tests_install_nothing_that_exists(checkout: Checkout) -> None:
    with_root(checkout, is_root=False)
    checkout.stand_in("google-chrome", "#!/bin/bash\n")
    checkout.stand_in("tmux", "#!/bin/bash\n")
    checkout.stand_in("npm", "#!/bin/bash\n")
    assert checkout.run("test").code == 0
    assert checkout.calls("apt-get") == []


def test_without_root_a_missing_browser_is_reported_in_one_sentence(checkout: Checkout) -> None:
    with_root(checkout, is_root=False)
    done = checkout.run("test")
    assert sentence_of(done) == "Chromium is missing and installing it needs root: sudo apt-get install chromium"


def test_without_apt_get_a_missing_browser_is_reported_in_one_sentence(checkout: Checkout) -> None:
    assert sentence_of(checkout.run("test")) == "Chromium is missing. Install it (chromium) and run this again."


def test_a_failure_of_apt_get_is_quoted(checkout: Checkout) -> None:
    with_root(checkout, is_root=True)
    checkout.stand_in("apt-get", '#!/bin/bash\necho "E: Unable to fetch some archives"\nexit 100\n')
    words = sentence_of(checkout.run("test"))
    assert words == "apt-get could not install chromium: E: Unable to fetch some archives"


def test_a_development_environment_installs_the_venv_package_as_root(checkout: Checkout) -> None:
    with_root(checkout, is_root=True)
    checkout.run("dev", NO_VENV="1")
    assert "apt-get install -qq -y --no-install-recommends python3-venv" in checkout.calls("apt-get")
