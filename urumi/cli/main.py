"""The entry point of `urumi`: arguments in, exit code out, every error as one line.

Every expected failure is an `UrumiError` with its exit code; a traceback is always a defect. A closed pipe
(`urumi list | head -1`) ends the command without a message, with the exit code that shells use for SIGPIPE.
"""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from urumi.cli.arguments import parse
from urumi.cli.terminal import OutputError, make_printable, report
from urumi.errors import ApiError, NotFound, UrumiError

INTERRUPTED, READER_GONE = 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        make_printable(stream)
    try:
        try:
            args = parse(sys.argv[1:] if arguments is None else arguments)
            return int(args.run(args))
        finally:
            _flush_output()
    except BrokenPipeError:
        _discard(sys.stdout, sys.stderr)
        return READER_GONE
    except UrumiError as error:
        hint = error.hint
        # A shell user needs another hint than an API client.
        if isinstance(error, NotFound):
            hint = "Run `urumi list` to see all stores."
        elif isinstance(error, ApiError) and error.status == 401:
            hint = "Pass --token or set URUMI_TOKEN; a local server writes its token to its state folder."
        report(f"urumi: {error.message} {hint}".rstrip())
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def _flush_output() -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard(sys.stdout)
        raise OutputError(error) from error


def _discard(*streams: TextIO | None) -> None:
    # Buffered output would fail again when the interpreter exits.
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        if stream is not None:
            os.dup2(devnull, stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
