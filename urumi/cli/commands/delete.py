"""`urumi delete`: delete a store, and with --wait stay until it is gone.

The deletion carries the uid of the store that was confirmed, so a newer store with the same id is never deleted. A
Ready store may be in use, so the user has to type its name; without a terminal `--yes` is required. The question is
asked outside the event loop, where ctrl-c works.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from urumi.cli.terminal import is_terminal, prompt, report, write, write_json
from urumi.cli.tracking import get_store
from urumi.cli.waiting import until_gone
from urumi.client import Client
from urumi.config import find_target
from urumi.errors import InvalidRequest, UrumiError
from urumi.store import Phase
from urumi.text import printable
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse

    from urumi.config import Target
    from urumi.wire import Deleted, Store


def run(args: argparse.Namespace) -> int:
    """Delete the store."""
    if not args.yes and not is_terminal(sys.stdin):
        raise InvalidRequest(
            f"Store {args.store_id} not deleted: stdin is not a terminal.",
            field="--yes",
            hint="Pass --yes to delete without confirmation.",
        )
    target = find_target(args.url, args.token)
    store = asyncio.run(get_store(target, args.store_id))
    if not args.yes and store.phase is Phase.READY:
        report(f"Store {store.store_id} is Ready at {printable(store.url)}.")
        report(f"This permanently deletes, on {target.url}: its products, its orders and its files.")
        typed = prompt("Type the store's name to confirm: ")
        if typed != store.store_id:
            raise UrumiError(f"Store {store.store_id} not deleted: expected its name, got {typed!r}.")
    deleted = asyncio.run(_delete(target, store, args))
    if args.json:
        write_json(dump(deleted))
    else:
        write(f"{store.store_id}  {Phase.DELETED if args.wait or not deleted.deleted else Phase.DELETING}")
    return 0


async def _delete(target: Target, store: Store, args: argparse.Namespace) -> Deleted:
    async with Client(target) as client:
        deleted = await client.delete_store(store.store_id, uid=store.uid)
    if not deleted.deleted:
        report(f"Store {store.store_id} was already deleted.")
    elif args.wait:
        report(f"Deleting store {store.store_id}. Waiting up to {args.timeout:g} s until it is gone.")
        await until_gone(target, store, args.timeout)
        report(f"Store {store.store_id} is gone.")
    else:
        report(f"Deleting store {store.store_id}. Run `urumi events {store.store_id} --follow` to follow it.")
    return deleted
