"""Text from a server that looks like markup, moves the cursor, is wide, runs right to left or is very long."""

from typing import Any

import pytest
from rich.cells import cell_len

from testing.peer.server import Peer
from testing.stores import event, make_store
from tests.tui.driver import Driver, dashboard
from tests.tui.test_create import refusal
from urumi.config import Target
from urumi.wire import Store

TEXTS = [
    pytest.param("[/x] closes nothing", id="closing-tag"),
    pytest.param("[red", id="open-tag"),
    pytest.param("[@click=app.quit]press me[/]", id="action-link"),
    pytest.param("\x1b[2J\x1b[31mred\x07\r\nline", id="ansi"),
    pytest.param("商店の準備ができました 상점", id="cjk"),
    pytest.param("👩‍👩‍👧‍👦🏳️‍🌈 e\u0301", id="emoji"),
    pytest.param("متجر \u202e txt.exe \u2066 חנות", id="rtl"),
    pytest.param("long " * 800, id="4-kb"),
    pytest.param("x" * 4096, id="4-kb-without-a-blank"),
    pytest.param("$primary {{x}} %s \\[", id="templates"),
    pytest.param("", id="nothing"),
]


def hostile_store(text: str, store_id: str = "shop-1", phase: str = "Failed") -> Store:
    """Return a store with this text in every free-text field."""
    fields: dict[str, Any] = {
        "namespace": text,
        "release_name": text,
        "url": text,
        "admin_url": text,
        "progress": {"step": text, "index": 9, "total": 0, "message": text},
        "last_error": {"step": text, "reason": text, "message": text, "hint": text},
        "release": {"revision": 1, "chart_version": text, "digest": text},
        "requested_by": {"user": text, "ip": text, "user_agent": text},
        "conditions": [{"type": text, "status": "False", "reason": text, "message": text}],
        "events": [event(text, text, step=text, level="error", count=3)],
    }
    return make_store(store_id, phase, **fields)


def check_screen(driver: Driver) -> None:
    """Check that every line is as wide as the screen, and that no text contains a control character."""
    strips = driver.app.screen._compositor.render_strips()
    assert {strip.cell_length for strip in strips} == {driver.app.size.width}
    assert not [strip.text for strip in strips if set(strip.text) & {"\x1b", "\r", "\n", "\x07", "\u202e", "\u2066"}]


@pytest.mark.anyio
@pytest.mark.parametrize("text", TEXTS)
async def test_every_text_of_a_store_is_drawn_as_text_everywhere(peer: Peer, target: Target, text: str) -> None:
    for number, phase in enumerate(("Failed", "Provisioning", "Degraded", "Ready", "Deleting", "Pending")):
        peer.put(hostile_store(text, f"shop-{number}", phase))
    async with dashboard(target) as driver:
        for _ in range(6):
            check_screen(driver)
            await driver.press("down")
        await driver.open("DetailsScreen", "d")
        check_screen(driver)
        await driver.press("y")
        await driver.until_shown("storeId")
        check_screen(driver)
        await driver.open("DeleteDialog", "escape", "g", "delete")
        check_screen(driver)
        await driver.press("escape", "b", "c", "o", "a")
        await driver.pilot.pause()
        check_screen(driver)


@pytest.mark.anyio
@pytest.mark.parametrize("text", TEXTS)
async def test_every_text_of_a_refusal_is_drawn_as_text(peer: Peer, target: Target, text: str) -> None:
    peer.put(hostile_store("x"))
    async with dashboard(target, size=(80, 24)) as driver:
        peer.answer = refusal(503, text or "x", text, instance=text, errors=[{"pointer": text, "message": text}])
        await driver.press("r")
        await driver.until_message("shop-1 was not retried: ")
        check_screen(driver)
        await driver.open("CreateDialog", "n")
        await driver.type("shop-2")
        peer.answer = refusal(503, text or "x", text, instance=text, errors=[{"pointer": text, "message": text}])
        await driver.press("enter")
        await driver.until(driver.problem, "the refusal")
        check_screen(driver)


@pytest.mark.anyio
async def test_an_action_in_the_text_of_a_server_is_never_run(peer: Peer, target: Target) -> None:
    peer.put(hostile_store("[@click=app.quit]press me[/]"))
    async with dashboard(target) as driver:
        place = next(number for number, line in enumerate(driver.lines()) if "press me" in line)
        await driver.pilot.click(offset=(40, place))
        await driver.pilot.pause()
        assert driver.app.is_running
        assert "[@click=app.quit]press me[/]" in driver.text()


@pytest.mark.anyio
async def test_names_of_wide_letters_leave_the_columns_where_they_are(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1", "Failed", last_error={"step": "x", "reason": "商店" * 40, "message": ""}))
    peer.put(make_store("shop-2", "Failed", last_error={"step": "x", "reason": "plain", "message": ""}))
    async with dashboard(target) as driver:
        rows = [strip.text for strip in driver.app.screen._compositor.render_strips()[3:5]]
    assert all("✗ Failed" in row for row in rows)
    assert len({cell_len(row[: row.index("WooCommerce")]) for row in rows}) == 1
