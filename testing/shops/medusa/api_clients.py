"""Clients of a shop over HTTP: a shopper who orders with the Store API, an administrator of the Admin API."""

from typing import Any

import httpx2

ADDRESS = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "address_1": "12 Engine Street",
    "city": "Springfield",
    "postal_code": "12345",
    "country_code": "us",
}


def fetch(client: httpx2.Client, method: str, path: str, **content: Any) -> Any:
    """Call an API and return its JSON; the test fails on an error."""
    answer = client.request(method, path, **content)
    assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


def sign_in(client: httpx2.Client, email: str, password: str) -> str:
    """Return the token of the administrator."""
    answer = client.post("/auth/user/emailpass", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def order_by_cash_on_delivery(shopper: httpx2.Client) -> Any:
    """Buy two of the first product, as a guest."""
    region = fetch(shopper, "GET", "/store/regions")["regions"][0]["id"]
    query = {"region_id": region, "fields": "*variants.calculated_price", "order": "title"}
    variant = fetch(shopper, "GET", "/store/products", params=query)["products"][0]["variants"][0]
    cart = fetch(shopper, "POST", "/store/carts", json={"region_id": region, "email": "ada@example.org"})["cart"]["id"]
    fetch(shopper, "POST", f"/store/carts/{cart}/line-items", json={"variant_id": variant["id"], "quantity": 2})
    fetch(shopper, "POST", f"/store/carts/{cart}", json={"shipping_address": ADDRESS, "billing_address": ADDRESS})
    [option] = fetch(shopper, "GET", "/store/shipping-options", params={"cart_id": cart})["shipping_options"]
    fetch(shopper, "POST", f"/store/carts/{cart}/shipping-methods", json={"option_id": option["id"]})
    payment = fetch(shopper, "POST", "/store/payment-collections", json={"cart_id": cart})["payment_collection"]["id"]
    provider = {"provider_id": "pp_system_default"}
    fetch(shopper, "POST", f"/store/payment-collections/{payment}/payment-sessions", json=provider)
    done = fetch(shopper, "POST", f"/store/carts/{cart}/complete", json={})
    assert done["type"] == "order", done
    return done["order"]
