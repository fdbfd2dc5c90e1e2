"""The error report of a store, for support: cause, evidence and timeline as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi import __version__
from urumi.cli.store_lines import block

if TYPE_CHECKING:
    from datetime import datetime

    from urumi.wire import Store


def report(store: Store, now: datetime) -> str:
    """Return everything known about a store; it holds no secrets."""
    return "\n".join([*block(store, now), "", f"urumi-tui {__version__}"])
