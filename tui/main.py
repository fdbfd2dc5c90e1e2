"""The entry point of `urumi-tui`: arguments in, exit code out, every error in one line.

An internal error ends the dashboard with a sentence that names its log file, never with a traceback.
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
        raise UrumiError(
            "The dashboard needs a terminal.", hint="Run `urumi list` or `urumi watch` in a pipe or a script."
        )
    from tui.app import Dashboard

    dashboard = Dashboard(chosen)
    dashboard.run()
    if dashboard.internal_error is not None:
        raise UrumiError(
            f"The dashboard ended with an internal error: {dashboard.internal_error!r}.",
            hint=_write_log(dashboard.internal_error),
        )
    return 0


def _write_log(error: Exception) -> str:
    from urumi.config import state_dir

    path = state_dir() / "dashboard-error.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)))
    except OSError as failure:
        return f"Writing the traceback to {path} failed: {failure.strerror}."
    return f"See the traceback in {path}."


if __name__ == "__main__":
    sys.exit(main())
