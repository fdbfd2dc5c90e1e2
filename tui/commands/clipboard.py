"""A file with the last copied text: a terminal does not report whether it accepted a copy through OSC 52.

The file is `copied` in the state folder, readable by its owner only. Secrets are never written to it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from urumi.config import state_dir

if TYPE_CHECKING:
    from pathlib import Path


def copied_file() -> Path:
    """Return the path of the file with the last copied text."""
    return state_dir() / "copied"


def write_copied(text: str) -> None:
    """Write the copied text.

    Raises:
        OSError: the file cannot be written.
    """
    path = copied_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
