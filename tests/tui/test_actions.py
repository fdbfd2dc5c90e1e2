"""Actions on stores: retry, open, copy, the admin account; and the reasons why they are unavailable."""

from datetime import timedelta

import pytest

from testing.peer.server import Peer
from testing.stores import START, event, failed, make_store, provisioning
from tests.tui.driver import Driver, dashboard, put_several
from tests.tui.test_create import refusal
from tui.commands.clipboard import copied_file
from urumi.config import Target

pytestmark = pytest.mark.anyio


def copied(driver: Driver) -> str:
    """Return what was copied last."""
    return driver.app.clipboard


def enabled(driver: Driver) -> set[str]:
    """Return the labels of the keys that are enabled."""
    return {hint.label for hint in driver.home._keys.hints if hint.enabled}


async def test_r_retries_the_store_under_the_cursor(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        await driver.press("r")
        await driver.until_message("Retrying shop-1 now.")
    assert [(method, path) for method, path, *_ in peer.requests] == [
        ("POST", "/stores/shop-1/retry?uid=uid-of-shop-1")
    ]


async def test_marked_stores_are_retried_together_except_ready_ones(peer: Peer, target: Target) -> None:
    for store in (failed("shop-1"), failed("shop-2"), make_store("shop-3")):
        peer.put(store)
    async with dashboard(target) as driver:
        await driver.press("asterisk", "r")
        await driver.until_message("Retrying 2 stores now.")
    assert sorted(path for _, path, *_ in peer.requests) == [
        f"/stores/{name}/retry?uid=uid-of-{name}" for name in ("shop-1", "shop-2")
    ]


async def test_a_failed_retry_is_shown_with_the_reason(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target) as driver:
        peer.answer = refusal(503, "The cluster does not answer.", "Come back in 5 s.")
        await driver.press("r")
        await driver.until_message("shop-1 was not retried: The cluster does not answer. Come back in 5 s.")


@pytest.mark.parametrize(
    ("phase", "key", "reason"),
    [
        pytest.param("Ready", "r", "Nothing to retry: shop-1 is Ready.", id="retry-ready"),
        pytest.param("Deleting", "r", "Nothing to retry: shop-1 is being deleted.", id="retry-deleting"),
        pytest.param("Deleting", "delete", "shop-1 is already being deleted.", id="delete-deleting"),
        pytest.param("Pending", "o", "The shop of shop-1 is not running: the store is Pending.", id="open-pending"),
        pytest.param(
            "Pending", "a", "shop-1 has no admin account yet: it is waiting in the queue.", id="admin-pending"
        ),
        pytest.param("Ready", "b", "Nothing to report: shop-1 has no error.", id="report-ready"),
    ],
)
async def test_an_unavailable_key_shows_the_reason(
    peer: Peer, target: Target, phase: str, key: str, reason: str
) -> None:
    peer.put(make_store("shop-1", phase))
    async with dashboard(target) as driver:
        await driver.press(key)
        await driver.until_message(reason)
    assert peer.requests == []


async def test_keys_without_an_effect_are_dimmed(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        assert {"new", "delete", "open", "copy"} <= enabled(driver)
        assert "retry" not in enabled(driver)
        peer.put(failed("shop-1"))
        await driver.until(lambda: "retry" in enabled(driver), "retry to be possible")
        assert "open" not in enabled(driver)


@pytest.mark.parametrize("key", ["r", "d", "enter", "a"])
async def test_without_a_store_a_key_reports_that_there_is_none(target: Target, key: str) -> None:
    async with dashboard(target) as driver:
        assert not {"retry", "details"} & enabled(driver)
        await driver.press(key)
        await driver.until_message("No store under the cursor.")


async def test_a_read_only_dashboard_changes_nothing_and_shows_why(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target, read_only=True) as driver:
        assert "read-only" in driver.lines()[0]
        assert not {"new", "retry", "delete"} & enabled(driver)
        for key in ("n", "r", "delete", "ctrl+d"):
            await driver.press(key)
        assert type(driver.app.screen).__name__ == "StoresScreen"
        await driver.until_message("The dashboard is read-only")
    assert peer.requests == []


async def test_o_opens_the_shop(peer: Peer, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        monkeypatch.setattr("webbrowser.get", lambda: object())
        monkeypatch.setattr(driver.app, "open_url", opened.append)
        await driver.press("o")
        assert opened == ["http://shop-1.127.0.0.1.nip.io"]


async def test_without_a_browser_o_copies_the_address(
    peer: Peer, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    import webbrowser

    def none() -> object:
        raise webbrowser.Error("could not locate runnable browser")

    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        monkeypatch.setattr("webbrowser.get", none)
        await driver.press("o")
        await driver.until_message("no browser on this machine")
        assert copied(driver) == "http://shop-1.127.0.0.1.nip.io"


async def test_a_browser_that_would_need_the_terminal_is_not_started(
    peer: Peer, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    import webbrowser

    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        monkeypatch.setattr("webbrowser.get", lambda: webbrowser.GenericBrowser("lynx"))
        await driver.press("o")
        await driver.until_message("the only browser on this machine needs the terminal")


async def test_o_does_not_open_a_simulated_shop(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1", simulated=True))
    async with dashboard(target) as driver:
        await driver.press("o")
        await driver.until_message("No shop is running at shop-1: its containers are simulated.")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "http://[", ""])
async def test_o_opens_only_web_addresses(peer: Peer, target: Target, address: str) -> None:
    peer.put(make_store("shop-1", url=address))
    async with dashboard(target) as driver:
        await driver.press("o")
        await driver.until_message("shop-1 has no address yet.")


async def test_c_copies_the_id_and_u_the_address(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await driver.press("c")
        assert copied(driver) == "shop-1"
        await driver.press("u")
        assert copied(driver) == "http://shop-1.127.0.0.1.nip.io"


async def test_c_copies_the_ids_of_all_marked_stores(peer: Peer, target: Target) -> None:
    put_several(peer, 3)
    async with dashboard(target) as driver:
        await driver.press("space", "space", "c")
        assert copied(driver) == "shop-1\nshop-2"
        await driver.until_message("Copied 2 ids. ")


async def test_b_copies_a_report_with_cause_hint_and_timeline(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1", events=[event("Failed", "no image", level="error")]))
    async with dashboard(target) as driver:
        await driver.press("b")
        report = copied(driver)
    assert "ImagePullBackOff: no image" in report
    assert "Check the image." in report
    assert "2026-11-24T10:00:00Z  Failed  error  no image" in report


async def test_copied_text_is_also_in_a_file_readable_by_its_owner_only(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await driver.press("c")
        await driver.until_message(f"Copied shop-1. It is also in {copied_file()}.")
        assert copied_file().read_text() == "shop-1"
        assert copied_file().stat().st_mode & 0o777 == 0o600
        await driver.press("u")
        await driver.until(lambda: copied_file().read_text().startswith("http://shop-1."), "the newer copy")


async def test_a_copy_that_cannot_be_written_is_reported(peer: Peer, target: Target) -> None:
    copied_file().parent.mkdir()
    copied_file().symlink_to("elsewhere")  # a link that another user may have created is not followed
    peer.put(make_store("shop-1"))
    async with dashboard(target) as driver:
        await driver.press("c")
        await driver.until_message(f"Writing {copied_file()} failed: ")
    assert not (copied_file().parent / "elsewhere").exists()


async def test_an_action_applies_to_the_store_that_was_under_the_cursor_after_a_reordering(
    peer: Peer, target: Target
) -> None:
    put_several(peer, 3, failed)
    async with dashboard(target) as driver:
        await driver.press("s")
        assert driver.ids == ["shop-0", "shop-1", "shop-2"]
        assert driver.cursor == "shop-2"
        await driver.press("r")
        await driver.until_message("Retrying shop-2 now.")


async def test_a_store_that_stops_matching_the_filter_stays_under_the_cursor(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1", created_at=START + timedelta(minutes=1)))
    peer.put(failed("shop-0"))
    async with dashboard(target) as driver:
        await driver.press("f")
        peer.put(provisioning("shop-1", created_at=START + timedelta(minutes=1)))
        await driver.until_shown("◐ Provisioning")
        assert driver.cursor == "shop-1"
        assert "1 of 2 stores" in driver.text()
        await driver.press("down")
        assert driver.ids == ["shop-0"]
