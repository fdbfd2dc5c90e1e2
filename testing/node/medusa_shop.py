"""A Medusa shop on the node as its users reach it: under its own host, through the routes of its Ingress.

No ingress controller runs on the node, so an nginx on this machine takes its place; forwarded ports connect it to
the Services. The administrator account is the one that the platform returns.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from cluster.node.node import Node
from testing.caller import Caller
from testing.kubectl import Kubectl
from testing.serve import free_port
from testing.shops.medusa.api_clients import fetch, sign_in
from testing.shops.medusa.ingress import ingress

# A request to a pod that is killed at that moment gets no response; the next one does.
ANSWER_SECONDS = 20.0


class NodeShop:
    """The shop of one store that is Ready."""

    def __init__(self, node: Node, kubectl: Kubectl, platform: Caller, store_id: str, folder: Path) -> None:
        self._platform = platform
        self.store_id = store_id
        self.public_url = str(platform.store(store_id)["url"])
        self.namespace = f"store-{store_id}"
        self.port = free_port()
        (folder / "temp").mkdir()
        self._server = ingress(folder, self.port, self._routes(node, kubectl))

    @property
    def url(self) -> str:
        """The URL of the shop on this machine."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def browser_flag(self) -> str:
        """The flag with which a browser on this machine resolves the shop's public host name."""
        return f"--host-resolver-rules=MAP {urlsplit(self.public_url).hostname}:80 127.0.0.1:{self.port}"

    @contextmanager
    def open(self) -> Iterator["NodeShop"]:
        """Serve the shop inside the block."""
        with self._server.running():
            yield self

    def account(self) -> tuple[str, str]:
        """Return the administrator's e-mail address and password from the platform."""
        status, account = self._platform.call("POST", f"/stores/{self.store_id}/credentials")
        assert status == 200, account
        return account["username"], account["password"]

    def shopper(self) -> httpx2.Client:
        """Return a client of the Store API with the storefront's public key."""
        with self._client() as guest:
            key = fetch(guest, "GET", "/config.json")["publishableKey"]
        return self._client({"x-publishable-api-key": key})

    def merchant(self) -> httpx2.Client:
        """Return a client of the Admin API that is signed in."""
        with self._client() as guest:
            token = sign_in(guest, *self.account())
        return self._client({"Authorization": f"Bearer {token}"})

    def orders(self) -> list[Any]:
        """Return every order from the Admin API."""
        with self.merchant() as merchant:
            query = {"fields": "id,display_id,status,email,total", "limit": 100}
            return list(fetch(merchant, "GET", "/admin/orders", params=query)["orders"])

    def _client(self, headers: dict[str, str] | None = None) -> httpx2.Client:
        host = {"Host": str(urlsplit(self.public_url).hostname)}
        return httpx2.Client(base_url=self.url, headers=host | (headers or {}), timeout=ANSWER_SECONDS)

    def _routes(self, node: Node, kubectl: Kubectl) -> dict[str, str]:
        ports: dict[str, int] = {}
        routes = {}
        [rule] = kubectl.get("ingress", "store", self.namespace)["spec"]["rules"]
        for path in rule["http"]["paths"]:
            name = path["backend"]["service"]["name"]
            if name not in ports:
                service = kubectl.get("service", name, self.namespace)["spec"]
                ports[name] = free_port()
                node.forward_port(ports[name], service["clusterIP"], service["ports"][0]["port"])
            routes[path["path"]] = f"http://127.0.0.1:{ports[name]}"
        return routes
