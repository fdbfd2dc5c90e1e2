"""`urumi get`: one store, its state and the reasons for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from urumi.cli.store_lines import block
from urumi.cli.terminal import output_width, write, write_json
from urumi.client import Client
from urumi.config import find_target
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse


async def run(args: argparse.Namespace) -> int:
    """Print the store."""
    async with Client(find_target(args.url, args.token)) as client:
        store = await client.get_store(args.store_id)
    if args.json:
        write_json(dump(store))
    else:
        for line in block(store, datetime.now(UTC), width=output_width(wide=args.wide)):
            write(line)
    return 0
