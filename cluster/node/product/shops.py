"""The shops on a node, through the command `urumi` and through their addresses."""

import http.client
import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cluster.errors import SetupError
from cluster.node.node import Node
from cluster.place import Place

FIRST_STORE = "shop-a"
CREATE_SECONDS = 900
OPEN_SECONDS = 90.0
CALL_SECONDS = 5.0
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Shop:
    """A store: its id, its address, its phase."""

    store_id: str
    url: str
    phase: str


class Shops:
    """The shops of the platform at a URL."""

    def __init__(self, place: Place, url: str) -> None:
        self._place = place
        self._url = url

    def all(self) -> list[Shop]:
        """Return the stores, the oldest first.

        Raises:
            SetupError: the platform does not list them.
        """
        done = self._urumi("list", "--sort", "oldest", "--json", keeps_output=True)
        if done.returncode != 0:
            raise SetupError("The platform does not list its stores: see the message above.")
        return [Shop(each["storeId"], each.get("url", ""), each["phase"]) for each in json.loads(done.stdout)["items"]]

    def create_first(self, engine: str) -> None:
        """Create a store, wait until it is Ready, and place an order in it.

        Raises:
            SetupError: it does not become Ready, or does not sell.
        """
        wait = ("--wait", "--timeout", str(CREATE_SECONDS))
        if self._urumi("create", FIRST_STORE, "--engine", engine, *wait).returncode != 0:
            raise SetupError(
                f"The store {FIRST_STORE} is not Ready: see the message above.",
                hint=f"Run ./setup.sh again, or: .venv/bin/urumi events {FIRST_STORE}",
            )
        if self._urumi("verify", FIRST_STORE).returncode != 0:
            raise SetupError(f"The shop of {FIRST_STORE} takes no orders: see the message above.")

    def wait_until_open(self, node: Node, shops: Sequence[Shop]) -> list[Shop]:
        """Wait until the stores that were Ready serve at their addresses, and return those that do not."""
        deadline = time.monotonic() + OPEN_SECONDS
        closed = [shop for shop in shops if shop.phase in ("Ready", "Degraded")]
        while True:
            namespaces = {name.partition("/")[0] for name in node.unready_pods()}
            closed = [shop for shop in closed if f"store-{shop.store_id}" in namespaces or not _is_open(shop.url)]
            if not closed or time.monotonic() > deadline:
                return closed
            time.sleep(0.5)

    def _urumi(self, command: str, *words: str, keeps_output: bool = False) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(self._place.program("urumi")), command, *words, "--url", self._url],
            env={**os.environ, "URUMI_STATE_DIR": str(self._place.state)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if keeps_output else None,
            text=True,
            check=False,
        )


def _is_open(url: str) -> bool:
    """Return whether a shop responds at its address; its name below localhost is this machine."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(LOOPBACK, parts.port or 80, timeout=CALL_SECONDS)
    try:
        connection.request("GET", "/", headers={"Host": parts.netloc})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
