"""`urumi credentials`: the admin account of a store, on standard output; the server writes down who has read it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from urumi.cli.table import table
from urumi.cli.terminal import give, give_json
from urumi.client import Client
from urumi.config import find_target
from urumi.text import printable
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse

    from urumi.wire import Credentials


def read_credentials(args: argparse.Namespace) -> int:
    """Print the account."""
    account = asyncio.run(_read(args))
    if args.json:
        give_json(dump(account))
        return 0
    facts = (("Admin", account.admin_url), ("Username", account.username), ("Password", account.password))
    for line in table([(name, printable(value)) for name, value in facts if value]):
        give(line)
    return 0


async def _read(args: argparse.Namespace) -> Credentials:
    async with Client(find_target(args.url, args.token)) as client:
        return await client.read_credentials(args.store_id)
