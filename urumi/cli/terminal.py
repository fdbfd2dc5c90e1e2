"""The standard streams: `write` for data, `report` for messages, `prompt` for questions; and what a terminal can show.

Nothing here writes an escape sequence, so `TERM=dumb` and `NO_COLOR` need no special case.
"""

import json
import os
import shutil
import sys
from typing import Any, TextIO

from urumi.errors import UrumiError


class OutputError(UrumiError):
    """Raised when standard output cannot be written; a closed pipe is a BrokenPipeError instead."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"Cannot write the output: {error.strerror}.")


def write(line: str) -> None:
    """Write a line of data to standard output; it is flushed at once, so a pipe is as current as a terminal."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error) from error


def write_json(value: Any, *, lines: bool = False) -> None:
    """Write a JSON value: indented, or with `lines` on one line."""
    # Where a letter cannot be encoded, a JSON escape keeps the output valid.
    write(json.dumps(value, ensure_ascii=not is_utf8(sys.stdout), indent=None if lines else 2))


def report(line: str) -> None:
    """Write a message to standard error."""
    print(line, file=sys.stderr, flush=True)


def prompt(question: str) -> str:
    """Return the line that the user enters, empty at the end of input."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal; a stream can be None if it was closed before the start."""
    return stream is not None and stream.isatty()


def is_utf8(stream: TextIO | None) -> bool:
    """Return whether a stream encodes UTF-8."""
    return stream is not None and stream.encoding.lower().replace("-", "") == "utf8"


def output_width(*, wide: bool) -> int | None:
    """Return the number of columns for a line of data; None, so no limit, with `wide` or outside a terminal."""
    return None if wide or not is_terminal(sys.stdout) else shutil.get_terminal_size().columns


def ellipsis() -> str:
    """Return the mark for omitted text that standard output can encode."""
    return "…" if is_utf8(sys.stdout) else "..."


def make_printable(stream: TextIO | None) -> None:
    """Escape letters that the stream cannot encode; on a terminal with `LC_ALL=C`, all letters beyond ASCII."""
    if stream is None or not hasattr(stream, "reconfigure"):
        return
    # Python encodes UTF-8 in the C locale too, which such a terminal may not display.
    is_ascii = stream.isatty() and os.environ.get("LC_ALL") in ("C", "POSIX")
    stream.reconfigure(encoding="ascii" if is_ascii else None, errors="backslashreplace")
