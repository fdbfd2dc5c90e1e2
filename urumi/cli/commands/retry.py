"""`urumi retry`: request an immediate retry of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi.cli.store_lines import store_line
from urumi.cli.terminal import report, write, write_json
from urumi.client import Client
from urumi.config import find_target
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse


async def run(args: argparse.Namespace) -> int:
    """Request the retry."""
    async with Client(find_target(args.url, args.token)) as client:
        store = await client.retry_store(args.store_id)
    report(f"Retrying {store.store_id} now. Run `urumi events {store.store_id} --follow` to follow it.")
    if args.json:
        write_json(dump(store))
    else:
        write(store_line(store))
    return 0
