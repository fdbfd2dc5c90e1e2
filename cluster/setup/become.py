"""Continues in another program, in the same process: signals and the terminal stay as they are."""

import os
import sys
from pathlib import Path
from typing import NoReturn


def become(program: Path, *arguments: str) -> NoReturn:
    """Replace this process by a program."""
    sys.stdout.flush()
    os.execv(program, [str(program), *arguments])  # noqa: S606
