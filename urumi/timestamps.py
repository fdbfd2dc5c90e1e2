"""RFC 3339 timestamps in UTC: the one format in which the platform writes and reads a time."""

from __future__ import annotations

from datetime import UTC, datetime


def format_timestamp(at: datetime | None = None, timespec: str = "milliseconds") -> str:
    """Return a time, by default the current one, as RFC 3339 in UTC: `2026-01-31T12:00:00.000Z`.

    Args:
        at: an aware datetime.
        timespec: the precision, as in `datetime.isoformat`; Kubernetes' MicroTime needs `microseconds`.
    """
    return (at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Return the aware datetime of an RFC 3339 timestamp.

    Raises:
        ValueError: if the text is not an RFC 3339 timestamp.
    """
    return datetime.fromisoformat(text)
