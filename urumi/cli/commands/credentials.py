"""`urumi credentials`: the admin account of a store, on standard output; the server logs who read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi.cli.table import table
from urumi.cli.terminal import write, write_json
from urumi.client import Client
from urumi.config import find_target
from urumi.text import printable
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse


async def run(args: argparse.Namespace) -> int:
    """Print the account."""
    async with Client(find_target(args.url, args.token)) as client:
        account = await client.read_credentials(args.store_id)
    if args.json:
        write_json(dump(account))
        return 0
    # Neither wrapped nor shortened: each value is there to be copied.
    facts = (("Admin", account.admin_url), ("Username", account.username), ("Password", account.password))
    for line in table([(name, printable(value)) for name, value in facts if value]):
        write(line)
    return 0
