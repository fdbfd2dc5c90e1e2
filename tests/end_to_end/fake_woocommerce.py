"""A fake WooCommerce shop: a server with the recorded responses of a real one, for storefront checks.

The containers of the local cluster are simulated, so this server responds in their place; real shops are tested in
`tests/shops`. `is_open`, `products` and `password` may be changed while it runs.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

PRODUCTS = [
    {"id": 9, "name": "Gift", "is_purchasable": True, "is_in_stock": True, "prices": {"price": "0"}},
    {
        "id": 10,
        "name": "Demo mug",
        "is_purchasable": True,
        "is_in_stock": True,
        "prices": {"price": "39900", "currency_code": "INR", "currency_minor_unit": 2},
    },
]
COOKIE = "wordpress_logged_in_1"
HEALTH = "/?urumi-healthz"


class FakeWooCommerce:
    """A shop on a port of the loopback interface; use as a context manager."""

    def __init__(self) -> None:
        self.is_open = True
        self.products: list[Any] = list(PRODUCTS)
        self.password = ""
        self.problems: list[str] = []
        self.hosts: set[str] = set()
        self.orders: dict[int, str] = {}
        self.history: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """The value for URUMI_STOREFRONT_ADDRESS."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, body: str, is_merchant: bool) -> tuple[int, Any, dict[str, str]]:
        """Return status, content and headers."""
        self.history.append(f"{method} {path}")
        if not self.is_open:
            return 503, {"message": "Error establishing a database connection"}, {}
        match method, path.removeprefix("/wp-json/wc"):
            case "GET", "/?urumi-healthz":
                return (503 if self.problems else 200), {"ok": not self.problems, "problems": self.problems}, {}
            case "GET", "/":
                return 200, "a page", {}
            case "GET", "/store/v1/products":
                return 200, self.products, {}
            case "GET", "/store/v1/cart":
                return 200, {}, {"Cart-Token": "cart-1", "Nonce": "n"}
            case "POST", "/store/v1/cart/add-item":
                totals = {"total_price": "44800", "currency_code": "INR", "currency_minor_unit": 2}
                return 201, {"payment_methods": ["cod"], "totals": totals}, {}
            case "POST", "/store/v1/checkout":
                return self._check_out(json.loads(body))
            case "POST", "/wp-login.php":
                is_right = parse_qs(body)["pwd"] == [self.password]
                return (302 if is_right else 200), "", {"Set-Cookie": f"{COOKIE}=x; path=/"} if is_right else {}
            case "POST", "/wp-admin/admin-ajax.php":
                return 200, "nonce-1", {}
        return self._merchant(method, path, body) if is_merchant else (401, {"message": "Sorry, you cannot"}, {})

    def _check_out(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        assert body["billing_address"]["country"] == "IN"
        number = 12 + len(self.orders)
        self.orders[number] = "processing"
        payment = {"payment_status": "success"}
        return 200, {"order_id": number, "status": "processing", "payment_result": payment}, {}

    def _merchant(self, method: str, path: str, body: str) -> tuple[int, Any, dict[str, str]]:
        *_, kind, last = path.split("/")
        if kind == "general":
            return 200, {"value": "IN:KA" if last.endswith("default_country") else ""}, {}
        number = int(last)
        if method == "DELETE":
            del self.orders[number]
        elif method == "PUT":
            self.orders[number] = json.loads(body)["status"]
        return 200, {"number": str(number), "payment_method_title": "Cash on delivery"}, {}


def _handler(shop: FakeWooCommerce) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            shop.hosts.add(self.headers["Host"])
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            is_merchant = self.headers.get("X-WP-Nonce") == "nonce-1" and COOKIE in self.headers.get("Cookie", "")
            path = HEALTH if self.path == HEALTH else self.path.partition("?")[0]
            status, content, headers = shop.answer(self.command, path, body, is_merchant)
            data = (content if isinstance(content, str) else json.dumps(content)).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Write no log."""

    return Handler
