"""The two streams of the command: `give` for data, `say` for narration; and asking a person."""

import json
import sys
from typing import Any

from urumi.errors import UrumiError


class OutputError(UrumiError):
    """Raised when standard output takes no more; a reader that went away is a BrokenPipeError instead."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"The output could not be written: {error.strerror}.")


def give(line: str) -> None:
    """Print a line of data; it leaves at once, so that a pipe is as live as a terminal."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error) from error


def give_json(value: Any, *, lines: bool = False) -> None:
    """Print a JSON value, indented, or on one line of a stream of lines."""
    give(json.dumps(value, ensure_ascii=False, indent=None if lines else 2))


def say(line: str) -> None:
    """Print a line of narration."""
    print(line, file=sys.stderr, flush=True)


def is_interactive() -> bool:
    """Return whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def is_screen() -> bool:
    """Return whether data goes to a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def ask(question: str) -> str:
    """Return what a person types, empty where nothing comes."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
