"""A store in words that every face shares: where it stands, what went wrong, spans and moments of time.

Text from a server is cleaned by `printable` before it is shown: control characters could otherwise move the cursor or
hide words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi.store import Phase

if TYPE_CHECKING:
    from urumi.wire import LastError, Store

SIMULATED = "Containers are simulated on this cluster: Ready means that Kubernetes says so, not that a shop answers."
SILENT_CLUSTER_SECONDS = 90.0  # from when on people are told; a quiet cluster is heard of about once a minute

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_CONTROLS |= {ord(blank): " " for blank in "\n\r\t"}
# Marks that reorder what is read (bidirectional controls) could make one name look like another.
_CONTROLS |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029)}


def printable(text: str) -> str:
    """Return the text on one line, without anything that a terminal would obey."""
    return text.translate(_CONTROLS)


def progress_text(store: Store) -> str:
    """Return how far a store is, or why it is no further; empty where it is Ready."""
    if store.phase is Phase.FAILED and store.last_error:
        return error_text(store.last_error)
    if store.progress is None:
        return ""
    place = f"{store.progress.index}/{store.progress.total} {store.progress.step}"
    return f"{place}: {store.progress.message}" if store.progress.message else place


def error_text(error: LastError) -> str:
    """Return an error of a store: the step, the reason, the message."""
    return ": ".join(part for part in (error.step, error.reason, error.message) if part)


def span(seconds: float) -> str:
    """Return a duration in its largest unit: 42s, 7m, 3h, 12d."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"
