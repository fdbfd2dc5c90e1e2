"""`urumi list` and `urumi get`: what there is now."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from urumi.cli.arguments import SORTS
from urumi.cli.store_lines import HEADING, PROGRESS_COLUMN, block, row
from urumi.cli.table import table
from urumi.cli.terminal import give, give_json, is_screen, say
from urumi.client import Client
from urumi.config import find_target
from urumi.text import SIMULATED
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse

    from urumi.wire import Store


def list_stores(args: argparse.Namespace) -> int:
    """Print the stores as a table or as JSON."""
    stores = asyncio.run(_list(args))
    if args.json:
        give_json({"items": [dump(store) for store in stores]})
    elif stores:
        _give_table(stores)
    elif args.phase or args.engine or args.text:
        say("No store matches.")
    else:
        say("There are no stores yet. Ask for one: urumi create shop-1 --engine woocommerce --wait")
    return 0


def get_store(args: argparse.Namespace) -> int:
    """Print one store."""
    store = asyncio.run(_get(args))
    if args.json:
        give_json(dump(store))
    else:
        for line in block(store, datetime.now(UTC)):
            give(line)
    return 0


async def _list(args: argparse.Namespace) -> tuple[Store, ...]:
    async with Client(find_target(args.url, args.token)) as client:
        return await client.list_stores(
            phase=args.phase or "", engine=args.engine or "", text=args.text, sort=SORTS[args.sort]
        )


async def _get(args: argparse.Namespace) -> Store:
    async with Client(find_target(args.url, args.token)) as client:
        return await client.get_store(args.store_id)


def _give_table(stores: tuple[Store, ...]) -> None:
    is_terminal = is_screen()
    now = datetime.now(UTC)
    rows = [HEADING, *(row(store, now) for store in stores)]
    width = shutil.get_terminal_size().columns if is_terminal else None
    for line in table(rows, width=width, elastic=PROGRESS_COLUMN):
        give(line)
    if is_terminal and any(store.simulated for store in stores):
        say(SIMULATED)
