"""The entry point of `urumi-tui`: arguments in, exit code out, every error as one sentence.

A defect ends the dashboard with a sentence that names the file it is written to, never with a traceback.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from urumi.errors import UrumiError

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the dashboard and return the exit code."""
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except UrumiError as error:
        sys.stderr.write(f"urumi-tui: {error.sentence()}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: Sequence[str]) -> int:
    from tui.model.settings import settings

    chosen = settings(arguments)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UrumiError("The dashboard needs a terminal.", hint="For a pipe or a script use: urumi list, urumi watch")
    from tui.app import Dashboard

    dashboard = Dashboard(chosen)
    dashboard.run()
    if dashboard.defect is not None:
        raise UrumiError(
            f"A defect ended the dashboard: {dashboard.defect!r}.",
            hint=f"It is written to {_written(dashboard.defect)}.",
        )
    return 0


def _written(defect: Exception) -> str:
    from urumi.config import state_dir

    path = state_dir() / "dashboard-defect.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(defect)))
    except OSError as error:
        return f"no file, as {path} cannot be written ({error.strerror})"
    return str(path)


if __name__ == "__main__":
    sys.exit(main())
