"""What was copied, in a file as well: a terminal never says whether it takes what OSC 52 hands it.

The file is `copied` in the state folder, readable by its owner only, and holds what was copied last. Secrets are not
for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from urumi.config import state_dir

if TYPE_CHECKING:
    from pathlib import Path


def copied_file() -> Path:
    """Return where the last copy is."""
    return state_dir() / "copied"


def keep(text: str) -> None:
    """Write a copy.

    Raises:
        OSError: it cannot be written.
    """
    path = copied_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
