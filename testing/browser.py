"""The system's Chromium, and the check that the page writes no errors to its console.

While Playwright runs, its event loop blocks async tests; tests/conftest.py puts its users last.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Chromium writes failed requests and refused sockets to the console; tests that cause them allow them.
NETWORK = r"Failed to load resource|WebSocket connection to"


@dataclass
class Console:
    """The errors that the page wrote to its console."""

    errors: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, pattern: str) -> None:
        """Allow messages that match the pattern."""
        self.allowed.append(pattern)

    def listen(self, page: Page) -> None:
        """Collect the messages of a page."""
        page.on("console", self._record)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))

    def unexpected(self) -> list[str]:
        """Return the errors that no test allowed."""
        return [error for error in self.errors if not any(re.search(pattern, error) for pattern in self.allowed)]

    def _record(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)


@contextmanager
def launched(*flags: str) -> Iterator[Browser]:
    """Run the browser, with additional flags, inside the block."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.fail(f"No browser was found (looked for {', '.join(BROWSERS)}): run `apt-get install chromium`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *flags])
        yield browser
        browser.close()
