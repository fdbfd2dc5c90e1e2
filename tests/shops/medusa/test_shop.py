"""The backend's Store API, Admin API and health checks."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.engines.engine import Administrator
from reconciler.engines.medusa import DEFINITION
from reconciler.engines.session import ShopEndpoint, ShopSession, session
from testing.kubectl import wait_for
from testing.shops.medusa.api_clients import fetch, order_by_cash_on_delivery, sign_in
from testing.shops.medusa.node import complete
from testing.shops.medusa.shop import ADMIN_EMAIL, Shop

if TYPE_CHECKING:
    from testing.shops.medusa.servers import Postgres, Server
    from tests.shops.medusa.conftest import OpenShop


@pytest.fixture
def under_scheme(open_shop: "OpenShop") -> Callable[[str], AbstractContextManager[None]]:
    """Run the backend of a shop with another scheme inside a block."""

    @contextmanager
    def run(scheme: str) -> Iterator[None]:
        open_shop.backend.stop()
        try:
            with replace(open_shop.shop, scheme=scheme).backend().running():
                yield
        finally:
            open_shop.backend.start()

    return run


def test_an_order_through_the_store_api_reaches_the_merchant(shop: Shop) -> None:
    with shop.shopper() as shopper:
        order = order_by_cash_on_delivery(shopper)

    with shop.merchant() as merchant:
        fields = {"fields": "display_id,payment_status,fulfillment_status,email,total"}
        seen = fetch(merchant, "GET", f"/admin/orders/{order['id']}", params=fields)["order"]

    assert seen["display_id"] == order["display_id"]
    assert seen["payment_status"] == "authorized"
    assert seen["fulfillment_status"] == "not_fulfilled"
    assert seen["email"] == "ada@example.org"
    assert seen["total"] == 2 * 12 + 5


@pytest.mark.anyio
async def test_the_platforms_verification_places_and_removes_an_order(shop: Shop) -> None:
    endpoint = ShopEndpoint(shop.url, "shop-a", "store-shop-a", shop.url.removeprefix("http://"), "http")
    async with session() as http:
        visit = ShopSession(http, endpoint)
        offer = await DEFINITION.find_offer(visit)
        assert offer is not None
        receipt = await DEFINITION.buy(visit, offer, Administrator("admin", ADMIN_EMAIL, shop.password))

    assert all(stage.ok for stage in visit.stages)
    with shop.merchant() as merchant:
        orders = fetch(merchant, "GET", "/admin/orders", params={"fields": "display_id,status"})["orders"]
    [order] = [each for each in orders if str(each["display_id"]) == receipt.order]
    assert order["status"] in ("canceled", "archived")


def signed_in_cookie(shop: Shop, scheme: str) -> tuple[str, int]:
    """Sign in as a browser does; the cookie, or "", and the status of the next call with nothing but it."""
    with shop.client(scheme) as browser:
        token = sign_in(browser, ADMIN_EMAIL, shop.password)
        answer = browser.post("/auth/session", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        cookie = answer.headers.get("set-cookie", "")
        pair = {"Cookie": cookie.split(";")[0]} if cookie else {}
        return cookie, browser.get("/admin/users/me", headers=pair).status_code


def test_the_administrator_signs_in_over_http(shop: Shop) -> None:
    cookie, status = signed_in_cookie(shop, "http")

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert status == 200


def test_the_administrator_of_a_shop_with_tls_signs_in_over_https_only(
    shop: Shop, under_scheme: Callable[[str], AbstractContextManager[None]]
) -> None:
    with under_scheme("https"):
        cookie, status = signed_in_cookie(shop, "https")
        plain_cookie, plain_status = signed_in_cookie(shop, "http")

    assert "Secure" in cookie
    assert status == 200
    assert plain_cookie == ""
    assert plain_status == 401


def test_a_wrong_password_is_refused(shop: Shop) -> None:
    with shop.client() as client:
        answer = client.post("/auth/user/emailpass", json={"email": ADMIN_EMAIL, "password": "wrong"})

    assert answer.status_code == 401


def test_the_admin_is_served_with_everything_it_loads(shop: Shop) -> None:
    with shop.client() as client:
        page = client.get("/app/")
        scripts = [part.split('"')[0] for part in page.text.split('src="')[1:]]
        statuses = {client.get(script).status_code for script in scripts if script.startswith("/app/")}

    assert page.status_code == 200
    assert statuses == {200}


def check_outage_of(shop: Shop, server: "Server", words: str) -> None:
    """Stop and start a server; the backend reports the outage, keeps running, and recovers."""
    assert shop.health() == (200, {"status": "ok", "problems": []})
    server.stop()
    try:
        wait_for(lambda: shop.health()[0] == 503, "a 503 during the outage")
        assert words in shop.health()[1]["problems"][0]
        assert shop.health("?serving")[0] == 503
        with shop.client() as client:
            assert client.get("/health").status_code == 200, "the liveness probe must not restart the backend"
    finally:
        server.start()
    wait_for(lambda: shop.health()[0] == 200, "the health check after the outage")


def test_an_outage_of_the_database_and_its_end_are_reported(shop: Shop, postgres: "Postgres") -> None:
    check_outage_of(shop, postgres.server, "the database does not respond")

    with shop.shopper() as shopper:
        order_by_cash_on_delivery(shopper)


def test_an_outage_of_redis_and_its_end_are_reported(open_shop: "OpenShop", shop: Shop) -> None:
    check_outage_of(shop, open_shop.redis, "Redis does not respond")

    with shop.shopper() as shopper:
        order_by_cash_on_delivery(shopper)


def test_a_shop_without_a_region_is_unhealthy_but_its_admin_stays_reachable(shop: Shop, postgres: "Postgres") -> None:
    postgres.query("update region set deleted_at = now()")
    try:
        status, answer = shop.health()
        serving, _ = shop.health("?serving")
    finally:
        postgres.query("update region set deleted_at = null")

    assert (status, answer["problems"]) == (503, ["no region contains a country to sell in"])
    assert serving == 200


def test_a_revoked_key_is_reported(shop: Shop, postgres: "Postgres") -> None:
    postgres.query("update api_key set revoked_at = now() where type = 'publishable'")
    try:
        status, answer = shop.health()
    finally:
        postgres.query("update api_key set revoked_at = null where type = 'publishable'")

    assert status == 503
    assert "the storefront's publishable key is missing in the database, revoked" in answer["problems"][0]


def test_nothing_is_written_outside_home_and_uploads(shop: Shop) -> None:
    """In a pod the root filesystem is read-only; only /tmp and the uploads are writable.

    Only files newer than the build are checked, because other test runs use the same build.
    """
    built = complete(shop.app).stat().st_mtime
    assert [path for path in without_uploads(shop.app) if path.lstat().st_mtime > built] == []


def without_uploads(app: Path) -> Iterator[Path]:
    """Every file and folder of the backend except the uploads."""
    for path in app.rglob("*"):
        if path.relative_to(app).parts[0] != "static":
            yield path
