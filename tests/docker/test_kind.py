"""README's way with Docker: setup.sh creates a kind cluster and installs Urumi on it.

The tests are one story and run in this order.
"""

import re

import pytest
from playwright.sync_api import Browser, expect

from testing.browser import NETWORK, Console
from testing.docker.user import User
from testing.shops.medusa.checkout import visiting

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]
DESKTOP = {"width": 1280, "height": 800}
PAGE = "http://urumi.localhost"
REPLICAS = 2


@pytest.fixture(scope="module")
def started(user: User) -> str:
    """What setup.sh printed when it created the cluster."""
    return user.setup()


def test_setup_creates_a_kind_cluster_and_names_the_next_steps(user: User, started: str) -> None:
    assert re.search(rf"^Urumi: +{PAGE}/$", started, re.MULTILINE), started
    assert f"Token:  {user.token}" in started
    assert user.setup("status").splitlines()[0].split() == ["cluster", "kind,", "node", "running"]
    assert len(user.server_images()) == REPLICAS


def test_running_it_again_changes_nothing(user: User, started: str) -> None:
    before = user.server_images()
    assert "The kind cluster urumi is already running." in user.setup()
    assert user.server_images() == before


def test_the_page_opens_in_a_browser(browser: Browser, user: User, started: str) -> None:
    console = Console()
    console.allow(NETWORK)
    with visiting(browser, PAGE, console, DESKTOP) as page:
        page.goto("/")
        page.get_by_label("Access token").fill(user.token)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#status-state")).to_have_text("Live")
