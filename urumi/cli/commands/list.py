"""`urumi list`: all stores, or some of them, as a table, as ids or as JSON."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from urumi.cli.arguments import SORTS
from urumi.cli.store_lines import list_lines
from urumi.cli.terminal import ellipsis, is_terminal, output_width, report, write, write_json
from urumi.client import Client
from urumi.config import find_target
from urumi.text import SIMULATED, printable
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse


async def run(args: argparse.Namespace) -> int:
    """Print the stores."""
    async with Client(find_target(args.url, args.token), timeout_seconds=args.timeout) as client:
        stores = await client.list_stores(
            phase=args.phase or "", engine=args.engine or "", text=args.text, sort=SORTS[args.sort]
        )
    if args.json:
        write_json({"items": [dump(store) for store in stores]})
    elif args.quiet:
        for store in stores:
            write(printable(store.store_id))
    elif stores:
        for line in list_lines(stores, datetime.now(UTC), width=output_width(wide=args.wide), ellipsis=ellipsis()):
            write(line)
        if is_terminal(sys.stdout) and any(store.simulated for store in stores):
            report(SIMULATED)
    elif args.phase or args.engine or args.text:
        report("No stores match.")
    else:
        report("No stores. Run `urumi create shop-1 --engine woocommerce --wait` to create one.")
    return 0
