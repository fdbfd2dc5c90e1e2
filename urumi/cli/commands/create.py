"""`urumi create`: request a store, and with --wait stay until it is Ready or Failed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from urumi.cli.store_lines import store_line
from urumi.cli.terminal import report, write, write_json
from urumi.cli.waiting import failure, until_ready
from urumi.client import Client
from urumi.config import find_target
from urumi.store import Engine, Phase
from urumi.text import SIMULATED
from urumi.wire import dump

if TYPE_CHECKING:
    import argparse


async def run(args: argparse.Namespace) -> int:
    """Request the store.

    Raises:
        AwaitedStoreError: with --wait, if the store is not Ready in the end.
    """
    target = find_target(args.url, args.token)
    started = time.monotonic()
    async with Client(target) as client:
        store = await client.create_store(args.store_id, Engine(args.engine))
    report(f"Store {store.store_id} requested ({store.phase}).")
    if args.wait:
        report(f"Waiting up to {args.timeout:g} s until it is Ready. Press ctrl-c to stop waiting; the store remains.")
        store = await until_ready(target, store, args.timeout)
        if store.phase is Phase.READY:
            report(f"Store {store.store_id} is Ready after {time.monotonic() - started:.1f} s.")
            if store.simulated:
                report(SIMULATED)
    else:
        report(f"Run `urumi events {store.store_id} --follow` to follow it.")
    if args.json:
        write_json(dump(store))
    else:
        write(store_line(store))
    if args.wait and store.phase is not Phase.READY:
        raise failure(store)
    return 0
