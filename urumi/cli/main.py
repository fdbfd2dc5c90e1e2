"""The entry point of `urumi`: arguments in, exit code out, every error as one sentence.

Whatever a person may meet leaves as an `UrumiError` with its own exit code; a traceback is always a defect. A reader
that goes away (`urumi list | head -1`) ends the command quietly, with the code that shells give to SIGPIPE.
"""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from urumi.cli.arguments import parse
from urumi.cli.terminal import OutputError, say
from urumi.errors import NotFound, Unauthorized, UrumiError

INTERRUPTED, READER_GONE = 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        _tolerate_any_text(stream)
    try:
        return _flushed(sys.argv[1:] if arguments is None else arguments)
    except BrokenPipeError:
        _abandon(sys.stdout, sys.stderr)
        return READER_GONE
    except UrumiError as error:
        say(f"urumi: {error.message} {_advice(error)}".rstrip())
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def _advice(error: UrumiError) -> str:
    """Return what to do next at a shell, where that differs from what a program would be told."""
    match error:
        case Unauthorized():
            return "Pass --token or set URUMI_TOKEN; a local server keeps its token in its state folder."
        case NotFound():
            return "Those there are: urumi list"
    return error.hint


def _flushed(arguments: Sequence[str]) -> int:
    try:
        args = parse(arguments)
        return int(args.run(args))
    finally:
        _flush(sys.stdout)


def _flush(stream: TextIO | None) -> None:
    try:
        if stream is not None:
            stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _abandon(stream)
        raise OutputError(error) from error


def _abandon(*streams: TextIO | None) -> None:
    # What is still buffered would fail once more when the interpreter ends.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        if stream is not None:
            os.dup2(nowhere, stream.fileno())


def _tolerate_any_text(stream: TextIO | None) -> None:
    # A terminal that cannot show a letter gets it escaped; it never gets a traceback.
    if stream is not None and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
