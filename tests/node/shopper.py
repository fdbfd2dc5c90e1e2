"""A shopper and a merchant of a Medusa shop, over HTTP: an order placed and kept, and the merchant's view of it."""

import base64
import json
import urllib.error
import urllib.request
from typing import Any

from tests.kubectl import Kubectl
from tests.node.node import Node
from tests.serve import free_port

ADDRESS = {
    "first_name": "Ada",
    "last_name": "Shopper",
    "address_1": "1 Test Street",
    "city": "Berlin",
    "postal_code": "10115",
}


class MedusaShopper:
    """Buys in one store through its backend's Service, and signs in as its merchant."""

    def __init__(self, node: Node, kubectl: Kubectl, store_id: str) -> None:
        self._kubectl = kubectl
        self._namespace = f"store-{store_id}"
        service = kubectl.get("service", "backend", self._namespace)
        port = free_port()
        node.open_door(port, service["spec"]["clusterIP"], 9000)
        self._url = f"http://127.0.0.1:{port}"
        key = self._secret("store-secrets", "publishable-key")
        self._shopper = {"x-publishable-api-key": key}

    def buy(self) -> str:
        """Order the first product, cash on delivery, and return the order's id."""
        region = self._call("GET", "/store/regions")["regions"][0]
        country = region["countries"][0]["iso_2"]
        products = self._call("GET", f"/store/products?region_id={region['id']}")["products"]
        cart = self._call("POST", "/store/carts", {"region_id": region["id"], "email": "ada@shopper.test"})["cart"]
        path = f"/store/carts/{cart['id']}"
        item = {"variant_id": products[0]["variants"][0]["id"], "quantity": 1}
        self._call("POST", f"{path}/line-items", item)
        address = {**ADDRESS, "country_code": country}
        self._call("POST", path, {"shipping_address": address, "billing_address": address})
        options = self._call("GET", f"/store/shipping-options?cart_id={cart['id']}")["shipping_options"]
        self._call("POST", f"{path}/shipping-methods", {"option_id": options[0]["id"]})
        payment = self._call("POST", "/store/payment-collections", {"cart_id": cart["id"]})["payment_collection"]
        session = f"/store/payment-collections/{payment['id']}/payment-sessions"
        self._call("POST", session, {"provider_id": "pp_system_default"})
        placed = self._call("POST", f"{path}/complete", {})
        assert placed["type"] == "order", placed
        return str(placed["order"]["id"])

    def merchants_orders(self) -> set[str]:
        """Return the ids of the orders that the merchant sees."""
        username = self._secret("store-admin", "username")
        email = username if "@" in username else self._admin_email()
        login = {"email": email, "password": self._secret("store-admin", "password")}
        token = self._call("POST", "/auth/user/emailpass", login, headers={})["token"]
        orders = self._call("GET", "/admin/orders", headers={"Authorization": f"Bearer {token}"})["orders"]
        return {order["id"] for order in orders}

    def _admin_email(self) -> str:
        backend = self._kubectl.get("deployment", "backend", self._namespace)
        variables = backend["spec"]["template"]["spec"]["initContainers"][0]["env"]
        return str(next(each["value"] for each in variables if each["name"] == "URUMI_ADMIN_EMAIL"))

    def _secret(self, name: str, key: str) -> str:
        return base64.b64decode(self._kubectl.get("secret", name, self._namespace)["data"][key]).decode()

    def _call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        given = {"Content-Type": "application/json", **(self._shopper if headers is None else headers)}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error
