#!/usr/bin/env python3
"""Take the README's screenshots from the running platform: the dashboard, and the page in Chromium.

    .venv/bin/python scripts/pictures.py [tui] [page]

Needs a running platform (./setup.sh) with a few stores, the second newest of them provisioning, one named lighthouse.
Writes docs/images/tui.svg and docs/images/page.png, or only the one that is named.
"""

import asyncio
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tui.app import Dashboard
from tui.model.settings import settings
from urumi.config import Target, find_target

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE = (128, 34)
SHOWN = "lighthouse"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


async def dashboard_picture() -> str:
    """Return an SVG of the dashboard with the cursor on a store that is provisioning."""
    app = Dashboard(settings(["--theme", "urumi-dark"]))
    async with app.run_test(size=SIZE) as pilot:
        async with asyncio.timeout(20):
            while not app.session.stores:
                await pilot.pause(0.1)
        await pilot.pause(1.0)
        await pilot.press("down")
        await pilot.pause(1.0)
        # Remove the references to web fonts; every viewer has a monospaced font.
        return re.sub(r"@font-face \{.*?\}", "", app.export_screenshot(), flags=re.DOTALL)


def page_picture(path: Path, target: Target) -> None:
    """Write a screenshot of the page with a store's panel open."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        context = chromium.new_context(viewport={"width": 1280, "height": 760}, color_scheme="light")
        signed_in = context.request.post(
            f"{target.url}/session", data={"token": target.token}, headers={"Origin": target.url}
        )
        if signed_in.status != 204:
            sys.exit(f"The server at {target.url} refused the token: HTTP {signed_in.status}.")
        page = context.new_page()
        page.goto(f"{target.url}/#store={SHOWN}")
        page.get_by_role("heading", name=SHOWN).wait_for()
        page.wait_for_timeout(500)
        page.screenshot(path=path)
        chromium.close()


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    wanted = set(sys.argv[1:]) or {"tui", "page"}
    if "page" in wanted:
        page_picture(IMAGES / "page.png", find_target())
    if "tui" in wanted:
        (IMAGES / "tui.svg").write_text(asyncio.run(dashboard_picture()))
