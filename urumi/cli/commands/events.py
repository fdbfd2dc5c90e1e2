"""`urumi events`: the timeline of a store, and with --follow what happens to it next, until it is gone."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from urumi.cli.connection import news
from urumi.cli.store_lines import event_line, unseen
from urumi.cli.terminal import give, give_json, say
from urumi.cli.tracking import OneStore
from urumi.client import Client
from urumi.config import find_target
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from urumi.wire import StoreEvent


def list_events(args: argparse.Namespace) -> int:
    """Print the timeline."""
    asyncio.run(_follow(args) if args.follow else _list(args))
    return 0


async def _list(args: argparse.Namespace) -> None:
    async with Client(find_target(args.url, args.token)) as client:
        events = await client.list_events(args.store_id)
    if args.json:
        give_json({"storeId": args.store_id, "items": [dump(event) for event in events]})
        return
    if not events:
        say(f"Nothing has happened to store {args.store_id} yet.")
    _give(events, as_json=False)


async def _follow(args: argparse.Namespace) -> None:
    target = find_target(args.url, args.token)
    async with Client(target) as client:
        store = await client.get_store(args.store_id)
    one = OneStore(store, is_seen=True)
    told: set[tuple[object, ...]] = set()
    _give(unseen(store.events, told), as_json=args.json)
    async with aclosing(news(target, (store.store_id,))) as events:
        async for event in events:
            if one.apply(event):
                _give(unseen(one.store.events, told), as_json=args.json)
            if one.is_gone:
                say(f"Store {store.store_id} is gone.")
                return


def _give(events: Iterable[StoreEvent], *, as_json: bool) -> None:
    for event in events:
        if as_json:
            give_json(dump(event), lines=True)
        else:
            give(event_line(event))
