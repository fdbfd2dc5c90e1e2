"""Values as text: names, counts, durations, ages, times of day, addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from datetime import datetime

NO_SHOP = "simulated containers: no shop is running"


def plural(count: int, noun: str, several: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {noun if count == 1 else several or f'{noun}s'}"


def duration(seconds: float) -> str:
    """Return a duration in at most two units, with tenths below ten seconds."""
    if seconds < 0.05:
        return "<0.1 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    many, rest, units = (*divmod(whole, 60), ("min", "s"))
    if whole >= 3600:
        many, rest, units = (*divmod(round(whole / 60), 60), ("h", "min"))
    return f"{many} {units[0]} {rest} {units[1]}" if rest else f"{many} {units[0]}"


def age(seconds: float) -> str:
    """Return an age in its largest unit, so that it changes rarely."""
    for unit, length in (("d", 2 * 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // min(length, 86400):.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def clock(at: datetime, now: datetime) -> str:
    """Return the local time of day, with the date if it is not today."""
    local = at.astimezone()
    is_today = local.date() == now.astimezone().date()
    return f"{local:%H:%M:%S}" if is_today else f"{local.day} {local:%b %H:%M:%S}"


def moment(at: datetime) -> str:
    """Return the local date and time with the time zone."""
    local = at.astimezone()
    return f"{local.day} {local:%b %Y %H:%M:%S %Z}"


def web_address(address: str) -> str:
    """Return the address if it is http or https, else an empty text: a browser opens nothing else."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.hostname else ""


def host_of(address: str) -> str:
    """Return the host and port of a web address, or the text unchanged."""
    return urlsplit(address).netloc if web_address(address) else address
