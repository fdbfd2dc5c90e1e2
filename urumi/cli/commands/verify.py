"""`urumi verify`: whether a store sells, proven by an order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from urumi.cli.table import table
from urumi.cli.terminal import give, give_json, say
from urumi.client import Client
from urumi.config import find_target
from urumi.text import printable
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse

    from urumi.wire import Verification

SOLD, NOT_SOLD = 0, 1


def verify_store(args: argparse.Namespace) -> int:
    """Place an order and take it back; the exit code says whether that worked."""
    say(f"Placing an order in store {args.store_id}, paid cash on delivery, to be taken back.")
    verification = asyncio.run(_verify(args))
    if args.json:
        give_json(dump(verification))
    else:
        _give(verification)
    return SOLD if verification.ok else NOT_SOLD


async def _verify(args: argparse.Namespace) -> Verification:
    async with Client(find_target(args.url, args.token)) as client:
        return await client.verify_store(args.store_id)


def _give(verification: Verification) -> None:
    rows = [
        ("ok" if stage.ok else "FAILED", stage.name, f"{stage.seconds:.2f} s", printable(stage.message))
        for stage in verification.stages
    ]
    for line in table(rows):
        give(line)
    give(printable(verification.message))
