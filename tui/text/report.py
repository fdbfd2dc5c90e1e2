"""The report of a store's error, for whoever is asked for help: cause, evidence, timeline, as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi import __version__
from urumi.cli.store_lines import block

if TYPE_CHECKING:
    from datetime import datetime

    from urumi.wire import Store


def report(store: Store, now: datetime) -> str:
    """Return everything that is known of a store; nothing of it is secret."""
    return "\n".join([*block(store, now), "", f"urumi-tui {__version__}"])
