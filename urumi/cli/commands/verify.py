"""`urumi verify`: place a test order in a store's shop and cancel it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi.cli.table import wrapped, wrapped_table
from urumi.cli.terminal import output_width, report, write, write_json
from urumi.client import Client
from urumi.config import find_target
from urumi.text import printable
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse

    from urumi.wire import Verification


async def run(args: argparse.Namespace) -> int:
    """Verify the store; return 0 if the order succeeded, else 1."""
    report(f"Placing a test order in store {args.store_id}, paid cash on delivery; it will be cancelled afterwards.")
    async with Client(find_target(args.url, args.token)) as client:
        verification = await client.verify_store(args.store_id)
    if args.json:
        write_json(dump(verification))
    else:
        for line in verification_lines(verification, width=output_width(wide=args.wide)):
            write(line)
    return 0 if verification.ok else 1


def verification_lines(verification: Verification, *, width: int | None = None) -> list[str]:
    """Return a verification as lines: its stages as a table, then the message."""
    rows = [
        ("ok" if stage.ok else "FAILED", printable(stage.name), f"{stage.seconds:.2f} s", printable(stage.message))
        for stage in verification.stages
    ]
    lines = wrapped_table(rows, width=width) if rows else []
    return [*lines, *wrapped(printable(verification.message), width=width)]
