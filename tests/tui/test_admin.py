"""The admin account: read after a confirmation, by uid, shown until it is closed, and never in a file."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.responses import JSONResponse

from testing.peer.server import Peer
from testing.stores import make_store
from tests.tui.driver import Driver, dashboard, put_several
from tests.tui.test_create import refusal
from tests.tui.test_hostile import check_screen
from tui.commands.clipboard import copied_file
from urumi.config import Target

pytestmark = pytest.mark.anyio

PASSWORD = "password-of-shop-1"


@asynccontextmanager
async def confirmation_of(peer: Peer, target: Target) -> AsyncIterator[Driver]:
    """A dashboard with the confirmation for showing the account of shop-1."""
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await driver.open("AdminDialog", "a")
        yield driver


async def test_the_account_is_not_read_before_the_confirmation(peer: Peer, target: Target) -> None:
    async with confirmation_of(peer, target) as driver:
        assert "Show the admin account of shop-1?" in driver.text()
        await driver.open("StoresScreen", "enter")
    assert peer.requests == []


async def test_the_account_is_read_by_uid_and_shown_until_it_is_closed(peer: Peer, target: Target) -> None:
    async with confirmation_of(peer, target) as driver:
        await driver.open("AccountDialog", "tab", "enter")
        for words in ("http://shop-1.127.0.0.1.nip.io/admin", "admin", PASSWORD):
            assert words in driver.text()
        await driver.open("StoresScreen", "enter")
        assert PASSWORD not in driver.text()
    assert [(method, path, json.loads(body)) for method, path, _, body in peer.requests] == [
        ("POST", "/stores/shop-1/credentials", {"uid": "uid-of-shop-1"})
    ]


async def test_c_copies_the_password_and_writes_no_file(peer: Peer, target: Target) -> None:
    async with confirmation_of(peer, target) as driver:
        await driver.open("AccountDialog", "tab", "enter")
        await driver.press("c")
        assert driver.app.clipboard == PASSWORD
        await driver.until_message("Copied the password of shop-1")
        assert not [said for said in driver.messages if PASSWORD in said]
    assert not copied_file().exists()


async def test_a_refusal_stays_in_the_dialog(peer: Peer, target: Target) -> None:
    async with confirmation_of(peer, target) as driver:
        peer.answer = refusal(409, "Store shop-1 has no admin account.", "Its timeline says where that stands.")
        await driver.press("tab", "enter")
        await driver.until(driver.problem, "the refusal")
        assert driver.problem() == "Store shop-1 has no admin account.\nIts timeline says where that stands."
        await driver.open("StoresScreen", "escape")


async def test_an_account_that_looks_like_markup_is_drawn_as_text(peer: Peer, target: Target) -> None:
    account = {"storeId": "shop-1", "username": "[/x]", "password": "\x1b[2J[red]", "adminUrl": "long " * 800}
    async with confirmation_of(peer, target) as driver:
        peer.answer = JSONResponse(account)
        await driver.press("tab", "enter")
        await driver.until_open("AccountDialog")
        assert "[/x]" in driver.text()
        assert "\\x1b[2J[red]" in driver.text()
        check_screen(driver)
        await driver.press("escape")
        await driver.until_open("StoresScreen")


async def test_a_read_only_dashboard_does_not_show_the_account(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target, read_only=True) as driver:
        await driver.press("a")
        await driver.until_message("The dashboard is read-only")
    assert peer.requests == []


async def test_several_marked_stores_show_no_account(peer: Peer, target: Target) -> None:
    put_several(peer, 2)
    async with dashboard(target) as driver:
        await driver.press("asterisk", "a")
        await driver.until_message("Only one store at a time; 2 are marked.")
        assert type(driver.app.screen).__name__ == "StoresScreen"
