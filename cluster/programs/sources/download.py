"""Downloads one file, verified by its SHA-256, through the proxy that the environment names.

The file grows as `NAME.partial`, which a later call resumes. It gets its name only with the pinned checksum; a file
with another is deleted.
"""

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from cluster.errors import SourceError

TIMEOUT_SECONDS = 30.0
CHUNK_BYTES = 256 * 1024


class NotServedError(Exception):
    """Raised when a site does not serve a file, or not to its end: its message says why."""


class UnreachableError(NotServedError):
    """Raised when a site cannot be reached at all."""


def download(url: str, sha256: str, target: Path, on_answer: Callable[[], None] = lambda: None) -> Path:
    """Return the file, downloaded unless it is there; `on_answer` is called when the site begins to serve it.

    Raises:
        NotServedError: the site cannot be reached, does not have the file, or does not serve it to its end.
        SourceError: the file has another checksum.
    """
    if target.exists() and file_digest(target) == sha256:
        on_answer()
        return target
    partial = target.with_name(f"{target.name}.partial")
    target.parent.mkdir(parents=True, exist_ok=True)
    was_resumed = partial.exists()
    _transfer(url, partial, on_answer)
    found = file_digest(partial)
    if found != sha256 and was_resumed:
        # The first part may be of an older file, or of a crash.
        partial.unlink()
        _transfer(url, partial, on_answer)
        found = file_digest(partial)
    if found != sha256:
        partial.unlink()
        raise SourceError(
            f"{url} has the wrong checksum: expected SHA-256 {sha256}, got {found}. The file was deleted.",
            hint="Run the command again. If the sum stays wrong, do not use that site: check the mirror or proxy.",
        )
    partial.replace(target)
    return target


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _transfer(url: str, partial: Path, on_answer: Callable[[], None]) -> None:
    offset = partial.stat().st_size if partial.exists() else 0
    # S310: the addresses are pinned, or those of the user's own mirror.
    request = urllib.request.Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            on_answer()
            # A server that ignores the range sends the whole file.
            with partial.open("ab" if response.status == 206 else "wb") as file:
                left = response.length
                while chunk := response.read(CHUNK_BYTES):
                    left = None if left is None else left - len(chunk)
                    file.write(chunk)
        if left:
            raise NotServedError(f"the connection ended {left} bytes before the end of the file")
    except urllib.error.HTTPError as error:
        error.close()
        # 416: the partial file already has every byte, or more.
        if error.code != 416:
            raise NotServedError(f"HTTP {error.code} {error.reason}") from error
        on_answer()
    except (OSError, HTTPException, ValueError) as error:
        cause = getattr(error, "reason", error)
        raise UnreachableError(getattr(cause, "strerror", None) or str(cause) or type(cause).__name__) from error
