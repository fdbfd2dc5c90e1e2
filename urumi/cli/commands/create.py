"""`urumi create` and `urumi retry`: asking for a store, and for another attempt at it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from urumi.cli.terminal import give, give_json, say
from urumi.cli.waiting import failure, until_ready
from urumi.client import Client
from urumi.config import find_target
from urumi.store import Engine, Phase
from urumi.text import SIMULATED, printable
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse

    from urumi.wire import Store


def create_store(args: argparse.Namespace) -> int:
    """Ask for a store, and stay until it is Ready where that is wanted."""
    store = asyncio.run(_create(args))
    _give(store, as_json=args.json)
    if args.wait and store.phase is not Phase.READY:
        raise failure(store)
    return 0


def retry_store(args: argparse.Namespace) -> int:
    """Ask for the next attempt to be made now."""
    store = asyncio.run(_retry(args))
    say(f"The next attempt at store {store.store_id} is made now. Follow it: urumi events {store.store_id} --follow")
    _give(store, as_json=args.json)
    return 0


async def _create(args: argparse.Namespace) -> Store:
    target = find_target(args.url, args.token)
    started = time.monotonic()
    async with Client(target) as client:
        store = await client.create_store(args.store_id, Engine(args.engine))
    say(f"Store {store.store_id} is asked for: {store.phase}.")
    if not args.wait:
        say(f"Follow it: urumi events {store.store_id} --follow")
        return store
    say(f"Waiting at most {args.timeout:g} s for it to be Ready. ctrl-c ends the waiting, not the store.")
    store = await until_ready(target, store, args.timeout)
    if store.phase is Phase.READY:
        say(f"Store {store.store_id} is Ready, {time.monotonic() - started:.1f} s after it was asked for.")
        if store.simulated:
            say(SIMULATED)
    return store


async def _retry(args: argparse.Namespace) -> Store:
    async with Client(find_target(args.url, args.token)) as client:
        return await client.retry_store(args.store_id)


def _give(store: Store, *, as_json: bool) -> None:
    if as_json:
        give_json(dump(store))
    else:
        give("  ".join(printable(part) for part in (store.store_id, store.phase.value, store.url) if part))
