"""The whole life of a store with the real server and a real Kubernetes API: created, Ready, deleted."""

import pytest

from testing.serve import ServerProcess
from tests.tui.driver import dashboard

pytestmark = pytest.mark.anyio


async def test_a_store_is_created_watched_until_it_is_ready_and_deleted(platform: ServerProcess, store_id: str) -> None:
    async with dashboard(platform.target) as driver:
        await driver.open("CreateDialog", "n")
        await driver.type(store_id)
        await driver.press("enter")
        await driver.until(lambda: driver.cursor == store_id, "the cursor to be on it")
        await driver.until_shown("HelmInstallStarted")
        await driver.until(lambda: f"{store_id}  ✓ Ready" in driver.text(), "it to be Ready", seconds=90)
        assert driver.lines()[1].endswith("simulated containers")

        await driver.open("DeleteDialog", "delete")
        await driver.type(store_id)
        await driver.open("StoresScreen", "enter")
        await driver.until(lambda: f"{store_id}  – Deleted" in driver.text(), "it to be gone", seconds=90)
    assert platform.store(store_id) is None


async def test_two_dashboards_show_the_same(platform: ServerProcess, store_id: str) -> None:
    async with dashboard(platform.target) as one, dashboard(platform.target) as other:
        platform.create(store_id, "medusa")
        for driver in (one, other):
            await driver.until(lambda driver=driver: store_id in driver.ids, "the store")  # type: ignore[misc]
    platform.call("DELETE", f"/stores/{store_id}")
