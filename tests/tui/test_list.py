"""The list: what it shows of each store, how it follows changes, and where the cursor goes."""

from datetime import timedelta

import pytest

from testing.peer.server import Peer
from testing.stores import START, event, failed, make_store, provisioning
from tests.tui.driver import dashboard, put_several
from urumi.config import Target

pytestmark = pytest.mark.anyio


def row(lines: list[str], store_id: str) -> str:
    """Return the line of the list that begins with an id."""
    return next(line for line in lines[3:] if line.split()[:1] == [store_id] or line.split()[1:2] == [store_id])


async def test_each_store_has_its_phase_progress_engine_age_and_last_event(peer: Peer, target: Target) -> None:
    peer.put(provisioning("shop-1", events=[event("HelmInstalled")]))
    async with dashboard(target) as driver:
        line = row(driver.lines(), "shop-1")
    assert "◐ Provisioning" in line
    assert "5/5 waiting for wordpress 0/1" in line
    assert "WooCommerce" in line
    assert "HelmInstalled" in line


async def test_a_narrow_list_shows_progress_in_the_terse_form(peer: Peer, target: Target) -> None:
    peer.put(provisioning("shop-1"))
    async with dashboard(target, size=(80, 24)) as driver:
        assert " 5/5 wordpress 0/1 " in row(driver.lines(), "shop-1")


async def test_a_ready_store_shows_its_address_and_a_failed_one_its_error(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    peer.put(failed("shop-2"))
    async with dashboard(target) as driver:
        lines = driver.lines()
    assert "✓ Ready" in row(lines, "shop-1")
    assert "shop-1.127.0.0.1.nip.io" in row(lines, "shop-1")
    assert "✗ Failed" in row(lines, "shop-2")
    assert "ImagePullBackOff: no image" in row(lines, "shop-2")


async def test_the_top_counts_the_stores_of_each_phase(peer: Peer, target: Target) -> None:
    for store in (make_store("a-1"), make_store("a-2"), failed("a-3")):
        peer.put(store)
    async with dashboard(target) as driver:
        top = driver.lines()[1]
    assert "3 stores" in top
    assert "✓ 2 Ready" in top
    assert "✗ 1 Failed" in top
    assert "Deleting" not in top


async def test_simulated_stores_are_labelled_as_such(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1", simulated=True))
    async with dashboard(target) as driver:
        assert driver.lines()[1].endswith("simulated containers")
        assert "simulated containers: no shop is running" in driver.text().split("─", 1)[1]


async def test_changes_are_shown_immediately(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1", "Pending"))
    async with dashboard(target) as driver:
        await driver.until_shown("○ Pending")
        peer.put(provisioning("shop-1"))
        await driver.until_shown("◐ Provisioning")
        peer.put(make_store("shop-1"))
        await driver.until_shown("✓ Ready")
        peer.put(make_store("shop-2"))
        await driver.until_shown("2 stores")


async def test_an_empty_list_shows_how_to_create_a_store(target: Target) -> None:
    async with dashboard(target) as driver:
        await driver.until_shown("No stores yet")
        assert "Press n" in driver.text()


async def test_newest_stores_come_first(peer: Peer, target: Target) -> None:
    put_several(peer, 3)
    async with dashboard(target) as driver:
        assert driver.ids == ["shop-2", "shop-1", "shop-0"]


async def test_the_cursor_stays_on_its_store_when_others_come_and_go(peer: Peer, target: Target) -> None:
    put_several(peer, 5)
    async with dashboard(target) as driver:
        await driver.press("down", "down")
        assert driver.cursor == "shop-2"
        peer.remove("shop-4")
        peer.put(make_store("shop-9", created_at=START + timedelta(minutes=9)))
        await driver.until(lambda: driver.ids == ["shop-9", "shop-3", "shop-2", "shop-1", "shop-0"], "the new order")
        assert driver.cursor == "shop-2"


async def test_a_store_deleted_under_the_cursor_stays_as_deleted_until_the_cursor_moves(
    peer: Peer, target: Target
) -> None:
    put_several(peer, 3)
    async with dashboard(target) as driver:
        await driver.press("down")
        peer.remove("shop-1")
        await driver.until_shown("– Deleted")
        assert driver.cursor == "shop-1"
        assert "2 stores" in driver.text()
        await driver.press("down")
        assert driver.cursor == "shop-0"
        assert driver.ids == ["shop-2", "shop-0"]


async def test_another_store_of_the_same_name_is_another_row(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1", uid="first"))
    async with dashboard(target) as driver:
        peer.remove("shop-1")
        peer.put(make_store("shop-1", "Pending", uid="second"))
        await driver.until(lambda: len(driver.ids) == 2, "both rows")
        assert driver.table.cursor == "first"
        await driver.press("down", "up")
        assert driver.table.cursor == "second"


async def test_s_sorts_by_the_selected_column_and_reverses_the_order(peer: Peer, target: Target) -> None:
    for number, name in enumerate(("bbb", "ccc", "aaa")):
        peer.put(make_store(name, created_at=START + timedelta(minutes=number)))
    async with dashboard(target) as driver:
        assert driver.cursor == "aaa"
        await driver.press("left", "left", "left", "left", "s")
        assert driver.ids == ["aaa", "bbb", "ccc"]
        assert "NAME ↑" in driver.lines()[2]
        await driver.press("s")
        await driver.until(lambda: driver.ids == ["ccc", "bbb", "aaa"], "the order to be turned round")
        assert "NAME ↓" in driver.lines()[2]
        assert driver.cursor == "aaa"


async def test_home_end_and_pages_move_the_cursor(peer: Peer, target: Target) -> None:
    for number in range(100):
        peer.put(make_store(f"shop-{number:03}", created_at=START - timedelta(minutes=number)))
    async with dashboard(target) as driver:
        await driver.press("G")
        assert driver.cursor == "shop-099"
        await driver.until_shown("shop-099")
        await driver.press("pageup")
        assert driver.cursor < "shop-085"
        await driver.press("g")
        assert driver.cursor == "shop-000"


async def test_after_scrolling_away_from_the_cursor_the_view_stays(peer: Peer, target: Target) -> None:
    for number in range(100):
        peer.put(make_store(f"shop-{number:03}", created_at=START - timedelta(minutes=number)))
    async with dashboard(target) as driver:
        driver.table.scroll_to(y=50, animate=False)
        await driver.until_shown("shop-060")
        peer.put(make_store("shop-new", created_at=START + timedelta(minutes=1)))
        peer.remove("shop-099")
        await driver.until(lambda: driver.ids[0] == "shop-new", "the new store")
        assert driver.table.scroll_offset.y == 50
        assert driver.cursor == "shop-000"
        await driver.press("down")
        assert driver.cursor == "shop-001"
        await driver.until_shown("shop-001  ")


async def test_the_cursor_keeps_its_line_of_the_screen_when_stores_come_above_it(peer: Peer, target: Target) -> None:
    for number in range(100):
        peer.put(make_store(f"shop-{number:03}", created_at=START - timedelta(minutes=number)))
    async with dashboard(target) as driver:
        await driver.press(*["down"] * 40)
        line = driver.table.cursor_line()
        for number in range(3):
            peer.put(make_store(f"new-{number}", created_at=START + timedelta(minutes=number)))
        await driver.until(lambda: len(driver.ids) == 103, "the new stores")
        assert driver.cursor == "shop-040"
        assert driver.table.cursor_line() == line


async def test_a_click_on_a_key_of_the_bar_runs_it(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await driver.pilot.click("#keys", offset=(driver.lines()[-1].index("details"), 0))
        await driver.until_open("DetailsScreen")


async def test_a_click_moves_the_cursor_and_a_double_click_opens_the_store(peer: Peer, target: Target) -> None:
    put_several(peer, 3)
    async with dashboard(target) as driver:
        await driver.pilot.click("#stores", offset=(5, 3))
        assert driver.cursor == "shop-0"
        await driver.pilot.double_click("#stores", offset=(5, 2))
        await driver.until_open("DetailsScreen")
        assert "shop-1" in driver.lines()[0]


async def test_a_click_on_a_heading_sorts_by_it(peer: Peer, target: Target) -> None:
    for name in ("bbb", "aaa"):
        peer.put(make_store(name))
    async with dashboard(target) as driver:
        await driver.pilot.click("#stores", offset=(4, 0))
        await driver.until(lambda: driver.ids == ["aaa", "bbb"], "the order by name")


async def test_ten_thousand_stores_are_shown_and_can_be_scrolled(peer: Peer, target: Target) -> None:
    stores = {f"shop-{number:05}": make_store(f"shop-{number:05}") for number in range(10_000)}
    peer.stores = stores
    async with dashboard(target) as driver:
        assert "10,000 stores" in driver.lines()[1]
        await driver.press("G")
        await driver.until_shown("shop-09999")
        peer.put(failed("shop-09999"))
        await driver.until_shown("✗ 1 Failed")
        assert "ImagePullBackOff" in driver.text()
