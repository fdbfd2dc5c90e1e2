"""What the storefront serves, by the image's own entrypoint and nginx configuration."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from server.http.listener import has_ipv6
from testing.shops.medusa.shop import TITLE, Shop
from testing.shops.medusa.storefront import SOURCES

SHOP_FILES = sorted(path.relative_to(SOURCES / "shop") for path in (SOURCES / "shop").rglob("*") if path.is_file())


@pytest.fixture
def visitor(shop: Shop) -> Iterator[httpx2.Client]:
    """A client of the shop under its one address."""
    with httpx2.Client(base_url=shop.url, timeout=60) as client:
        yield client


def test_the_configuration_has_the_name_of_the_shop_with_any_characters(shop: Shop, visitor: httpx2.Client) -> None:
    answer = visitor.get("/config.json")

    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == {"storeId": "shop-a", "title": TITLE, "publishableKey": shop.key}


@pytest.mark.parametrize("path", ["/", "/products/stoneware-mug", "/cart", "/checkout", "/orders/order_01"])
def test_every_address_of_the_shop_returns_its_page(visitor: httpx2.Client, path: str) -> None:
    answer = visitor.get(path)

    assert answer.status_code == 200
    assert '<main id="main"' in answer.text


@pytest.mark.parametrize(
    "path", ["/nothing", "/urumi-healthz", "/products", "/js/", "/nginx.conf", "/%2e%2e/nginx.conf"]
)
def test_any_other_address_is_not_found(visitor: httpx2.Client, path: str) -> None:
    assert visitor.get(path).status_code in (400, 403, 404)


@pytest.mark.parametrize("path", ["/", "/js/main.js", "/config.json", "/nothing"])
def test_every_response_has_a_content_security_policy(visitor: httpx2.Client, path: str) -> None:
    headers = visitor.get(path).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("scheme", "policy"), [("https", "same-origin"), ("http", None)])
def test_the_opener_policy_is_sent_if_browsers_apply_it(shop: Shop, scheme: str, policy: str | None) -> None:
    answer = httpx2.get(f"http://127.0.0.1:{shop.storefront_port}/", headers={"X-Forwarded-Proto": scheme}, timeout=60)

    assert answer.headers.get("cross-origin-opener-policy") == policy


@pytest.mark.parametrize("name", SHOP_FILES, ids=str)
def test_a_file_has_its_type_and_no_foreign_url(visitor: httpx2.Client, name: Path) -> None:
    types = {
        ".html": "text/html",
        ".css": "text/css",
        ".js": "text/javascript",
        ".svg": "image/svg+xml",
        ".txt": "text/plain",
    }
    answer = visitor.get(f"/{name}")

    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == types[name.suffix]
    outside = re.findall(r"""https?://[^\s"')]+""", answer.text)
    assert set(outside) <= {"http://www.w3.org/2000/svg"}


@pytest.mark.skipif(not has_ipv6(), reason="this host has no IPv6")
@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]"])
def test_the_storefront_listens_on_both_address_families(shop: Shop, address: str) -> None:
    assert httpx2.get(f"http://{address}:{shop.storefront_port}/", timeout=60).status_code == 200


def test_an_unchanged_page_is_not_sent_again(visitor: httpx2.Client) -> None:
    first = visitor.get("/js/main.js")

    assert visitor.get("/js/main.js", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_a_storefront_without_its_key_does_not_start(tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "URUMI_STORE_ID": "a",
        "URUMI_STORE_TITLE": "A",
        "URUMI_RUN_DIR": str(tmp_path),
    }

    done = subprocess.run(
        [SOURCES / "urumi-storefront"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert "URUMI_PUBLISHABLE_KEY is not set" in done.stderr
