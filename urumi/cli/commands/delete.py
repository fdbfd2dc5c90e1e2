"""`urumi delete`: the store that was looked at, and no other of that name.

A Ready store is somebody's shop, so its name has to be typed. Where nobody can be asked, `--yes` has to be given.
A person is asked outside of the event loop, where ctrl-c works.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from urumi.cli.terminal import ask, give, give_json, is_interactive, say
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


def delete_store(args: argparse.Namespace) -> int:
    """Delete a store, and stay until it is gone where that is wanted."""
    if not args.yes and not is_interactive():
        raise InvalidRequest(
            f"Store {args.store_id} was not deleted: nobody can be asked here.", field="--yes", hint="Pass --yes."
        )
    target = find_target(args.url, args.token)
    store = asyncio.run(_look(target, args.store_id))
    if not args.yes and store.phase is Phase.READY:
        _confirm(store)
    deleted = asyncio.run(_delete(target, store, args))
    if args.json:
        give_json(dump(deleted))
    else:
        give(f"{store.store_id}  {'Deleted' if args.wait or not deleted.deleted else 'Deleting'}")
    return 0


def _confirm(store: Store) -> None:
    say(f"Store {store.store_id} is Ready at {printable(store.url)}. Its products, orders and files go with it.")
    typed = ask("Type its name to delete it: ")
    if typed != store.store_id:
        raise UrumiError(f"Store {store.store_id} was not deleted: expected its name, got {typed!r}.")


async def _look(target: Target, store_id: str) -> Store:
    async with Client(target) as client:
        return await client.get_store(store_id)


async def _delete(target: Target, store: Store, args: argparse.Namespace) -> Deleted:
    async with Client(target) as client:
        deleted = await client.delete_store(store.store_id, uid=store.uid)
    if not deleted.deleted:
        say(f"Store {store.store_id} was gone already.")
    elif args.wait:
        say(f"Store {store.store_id} is being deleted. Waiting at most {args.timeout:g} s until nothing is left.")
        await until_gone(target, store, args.timeout)
        say(f"Store {store.store_id} is gone.")
    else:
        say(f"Store {store.store_id} is being deleted. Follow it: urumi events {store.store_id} --follow")
    return deleted
