"""RFC 3339 timestamps in UTC, the one format in which the platform writes and reads a time."""

from __future__ import annotations

from datetime import UTC, datetime


def format_timestamp(at: datetime | None = None, timespec: str = "milliseconds") -> str:
    """Return a time, by default now, as RFC 3339 in UTC: `2026-01-31T12:00:00.000Z`.

    Args:
        at: an aware datetime.
        timespec: the precision, as `datetime.isoformat` names it; Kubernetes' MicroTime wants `microseconds`.
    """
    return (at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Return the aware datetime of an RFC 3339 timestamp.

    Raises:
        ValueError: the text is not one.
    """
    return datetime.fromisoformat(text)
