"""`urumi events`: the timeline of a store, and with --follow each new event until the store is gone."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from urumi.cli.connection import store_events
from urumi.cli.store_lines import event_line, unseen
from urumi.cli.table import wrapped
from urumi.cli.terminal import output_width, report, write, write_json
from urumi.cli.tracking import TrackedStore, get_store
from urumi.client import Client
from urumi.config import find_target
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from urumi.wire import StoreEvent


async def run(args: argparse.Namespace) -> int:
    """Print the timeline."""
    if args.follow:
        await _follow(args)
        return 0
    async with Client(find_target(args.url, args.token)) as client:
        events = await client.list_events(args.store_id)
    if args.json:
        write_json({"storeId": args.store_id, "items": [dump(event) for event in events]})
    elif events:
        _write(events, args)
    else:
        report(f"Store {args.store_id} has no events yet.")
    return 0


async def _follow(args: argparse.Namespace) -> None:
    target = find_target(args.url, args.token)
    store = await get_store(target, args.store_id)
    tracked = TrackedStore(store, is_seen=True)
    written: set[tuple[object, ...]] = set()
    _write(unseen(store.events, written), args)
    async with aclosing(store_events(target, (store.store_id,))) as events:
        async for event in events:
            if tracked.apply(event):
                _write(unseen(tracked.store.events, written), args)
            if tracked.is_gone:
                report(f"Store {store.store_id} is gone.")
                return


def _write(events: Iterable[StoreEvent], args: argparse.Namespace) -> None:
    for event in events:
        if args.json:
            write_json(dump(event), lines=True)
        else:
            for line in wrapped(event_line(event), width=output_width(wide=args.wide)):
                write(line)
