"""Release files: finished programs from their projects' sites, or from a mirror of these.

All files are requested at once. A site that has not begun to serve within seconds is not waited for, and in this
process not asked again; its programs come from elsewhere. A wrong checksum is an error, never a reason to look
elsewhere.

URUMI_RELEASE_MIRROR is the address of a mirror, which has the files below the name of their site
(`https://mirror.example/k8s/` serves https://dl.k8s.io/release/... as `https://mirror.example/k8s/dl.k8s.io/release/...`).
`off` asks no site.
"""

import os
import threading
import time
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path

from cluster.programs.beside import beside
from cluster.programs.sources.download import NotServedError, UnreachableError, download
from cluster.programs.sources.pins import Pin

MIRROR = "URUMI_RELEASE_MIRROR"
OFF = "off"
ANSWER_SECONDS = 4.0

# Why a site is not asked again, by its name.
_silent: dict[str, str] = {}


class Release:
    """A release file on its way."""

    def __init__(self, pin: Pin, url: str, folder: Path) -> None:
        self.pin = pin
        self.site = urllib.parse.urlsplit(url).netloc
        self.trouble = ""
        self._answered = threading.Event()
        name = f"{pin.sha256[:16]}-{url.rpartition('/')[2]}"
        self._file = beside(lambda: self._download(url, folder / name))

    def is_coming(self, wait_seconds: float) -> bool:
        """Return whether the site serves it, after waiting a while for its answer; else it is given up."""
        if not self._answered.wait(wait_seconds) and not self.trouble:
            self.trouble = _silent[self.site] = f"no answer after {ANSWER_SECONDS:.0f} s"
        return not self.trouble

    def path(self) -> Path:
        """Wait for the whole file.

        Raises:
            NotServedError: the site stopped serving it.
            SourceError: it has another checksum.
        """
        return self._file.result()

    def error(self) -> BaseException | None:
        """Return the error of a download that has ended with one."""
        return self._file.exception() if self._file.done() else None

    def _download(self, url: str, target: Path) -> Path:
        try:
            return download(url, self.pin.sha256, target, self._serves)
        except NotServedError as error:
            self.trouble = self.trouble or str(error)
            if isinstance(error, UnreachableError):
                _silent[self.site] = self.trouble
            raise
        finally:
            self._answered.set()

    def _serves(self) -> None:
        if self.trouble:
            raise NotServedError(self.trouble)
        self._answered.set()


def request(pins: Sequence[Pin], folder: Path, say: Callable[[str], None]) -> list[Release]:
    """Request release files, and return those that are being served; `say` gets why others are not."""
    mirror = os.environ.get(MIRROR, "")
    if mirror == OFF:
        return []
    addresses = [(pin, address(pin.origin, mirror)) for pin in pins]
    asked = [Release(pin, url, folder) for pin, url in addresses if urllib.parse.urlsplit(url).netloc not in _silent]
    deadline = time.monotonic() + ANSWER_SECONDS
    coming = [release for release in asked if release.is_coming(max(0.0, deadline - time.monotonic()))]
    for trouble in sorted({release.trouble for release in asked if release.trouble}):
        sites = sorted({release.site for release in asked if release.trouble == trouble})
        say(f"No release files from {', '.join(sites)}: {trouble}. Packages and the compiler are used instead.")
    return coming


def address(url: str, mirror: str) -> str:
    """Return where a mirror has a release file; without one, the file's own address."""
    if not mirror:
        return url
    return f"{mirror.rstrip('/')}/{url.partition('://')[2]}"
