"""Text about a store that the command line and the dashboard share: progress, errors, durations.

Pass text from a server through `printable` before displaying it: control characters could otherwise move the cursor or
hide text.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from urumi.store import Phase

if TYPE_CHECKING:
    from urumi.wire import LastError, Store

SIMULATED = "Containers are simulated on this cluster: Ready means that the pods are ready; no shop is running."
SILENT_CLUSTER_SECONDS = 90.0  # age from which data is shown as stale; an idle cluster responds about once a minute

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_CONTROLS |= {ord(blank): " " for blank in "\n\r\t"}
# Bidirectional controls reorder the displayed text and could make one name look like another.
_CONTROLS |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029)}


def printable(text: str) -> str:
    """Return the text on one line, with control characters escaped."""
    return text.translate(_CONTROLS)


def progress_text(store: Store) -> str:
    """Return the progress of a store, or the reason why it is not Ready; empty if it is Ready."""
    if store.phase is Phase.READY:
        return ""
    if store.progress and not (store.phase is Phase.FAILED and store.last_error):
        step = f"{store.progress.index}/{store.progress.total} {store.progress.step}"
        return f"{step}: {store.progress.message}" if store.progress.message else step
    if store.last_error:
        return error_text(store.last_error)
    ready = next((each for each in store.conditions if each.type == "Ready" and each.status != "True"), None)
    return ": ".join(part for part in (ready.reason, ready.message) if part) if ready else ""


def error_text(error: LastError) -> str:
    """Return an error of a store as `step: reason: message`."""
    return ": ".join(part for part in (error.step, error.reason, error.message) if part)


def span(seconds: float) -> str:
    """Return a duration in its largest unit: 42s, 7m, 3h, 12d."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"


def cause_text(error: BaseException) -> str:
    """Return the cause of a failed connection: the system's message, such as `Connection refused`, if there is one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno and cause.strerror:
            # The numbers of errors in name resolution and TLS are not the system's.
            is_system_error = type(cause).__module__ == "builtins"
            return os.strerror(cause.errno) if is_system_error else cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
