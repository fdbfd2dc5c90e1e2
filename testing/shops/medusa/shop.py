"""A Medusa shop as its pods run it: the built backend, the storefront's entrypoint, Postgres and Redis.

The ingress is an nginx whose routes are read from the chart. What differs from a cluster: no container, no TLS; a
request "over https" is one that says so in X-Forwarded-Proto, as the ingress controller's do.
"""

import re
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from testing.serve import free_port
from testing.shops.medusa.api_clients import sign_in
from testing.shops.medusa.ingress import ingress
from testing.shops.medusa.node import NODE
from testing.shops.medusa.servers import Postgres, Server, redis_server
from testing.shops.medusa.storefront import storefront

CHART = Path(__file__).resolve().parents[3] / "charts" / "medusa"
TITLE = 'Ada\'s "Mugs" & <b>More</b> \\ Co'
ADMIN_EMAIL = "admin@shop-a.test"
MIGRATE_SECONDS = 280


def backend_paths() -> list[str]:
    """The paths that the chart's ingress routes to the backend."""
    [listed] = re.findall(r"range \$path := list ([^}]*?)\s*}}", (CHART / "templates" / "ingress.yaml").read_text())
    return re.findall(r'"([^"]+)"', listed)


@dataclass(slots=True)
class Shop:
    """One shop with all its servers; `database` names its database in Postgres."""

    app: Path
    folder: Path
    postgres: Postgres
    database: str = "medusa"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    key: str = field(default_factory=lambda: f"pk_{secrets.token_hex(32)}")
    scheme: str = "http"
    redis_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)
    backend_port: int = field(default_factory=free_port)
    storefront_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """The address of the shop."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def backend_url(self) -> str:
        """The address of the backend, without the ingress."""
        return f"http://127.0.0.1:{self.backend_port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the chart (templates/_env.tpl), and a home that can be written to."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return {
            "PATH": f"{NODE.parent}:/usr/bin:/bin",
            "HOME": str(home),
            "NODE_ENV": "production",
            "NODE_OPTIONS": "--max-old-space-size=512",
            "DATABASE_URL": self.postgres.url(self.database),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}",
            "JWT_SECRET": "the-secret-of-the-tests",
            "COOKIE_SECRET": "the-secret-of-the-tests",
            **dict.fromkeys(("STORE_CORS", "ADMIN_CORS", "AUTH_CORS", "URUMI_STORE_URL"), self.url),
            "URUMI_STORE_ID": "shop-a",
            "URUMI_STORE_TITLE": TITLE,
            "URUMI_COOKIE_SECURE": "true" if self.scheme == "https" else "false",
            "URUMI_PUBLISHABLE_KEY": self.key,
            "MEDUSA_WORKER_MODE": "shared",
            "DISABLE_MEDUSA_ADMIN": "false",
            "MEDUSA_DISABLE_TELEMETRY": "true",
        }

    @property
    def setup_environment(self) -> dict[str, str]:
        """The additional variables of the init container."""
        return self.environment | {
            "URUMI_SHOP_COUNTRIES": "us,ca",
            "URUMI_SHOP_CURRENCY": "USD",
            "URUMI_SHOP_SHIPPING_COST": "5",
            "URUMI_SHOP_SAMPLES": "true",
            "URUMI_ADMIN_EMAIL": ADMIN_EMAIL,
            "URUMI_ADMIN_PASSWORD": self.password,
        }

    def try_to_migrate(self, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run the init container's command, whether it fails or not."""
        return subprocess.run(
            [self.app / "bin" / "urumi-migrate"],
            env=self.setup_environment | changes,
            capture_output=True,
            text=True,
            timeout=MIGRATE_SECONDS,
            check=False,
        )

    def begin_to_migrate(self, **changes: str) -> "subprocess.Popen[str]":
        """Start the init container's command with its output in a pipe."""
        return subprocess.Popen(
            [self.app / "bin" / "urumi-migrate"],
            env=self.setup_environment | changes,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def migrate(self, **changes: str) -> str:
        """Run the init container's command and return its output; the test fails if it fails."""
        done = self.try_to_migrate(**changes)
        assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
        return done.stdout

    def redis(self) -> Server:
        """The Redis of the shop."""
        return redis_server(self.folder, self.redis_port)

    def backend(self) -> Server:
        """The backend, as the image's CMD starts it; it is ready when its readiness probe succeeds."""
        command = [str(NODE), str(self.app / "node_modules" / "@medusajs" / "cli" / "cli.js"), "start"]
        command += ["--port", str(self.backend_port), "--host", "127.0.0.1"]
        return Server("backend", command, self.folder, self._is_serving, self.environment, home=self.app)

    def storefront(self) -> Server:
        """The storefront, by the image's entrypoint."""
        names = ("URUMI_STORE_ID", "URUMI_STORE_TITLE", "URUMI_PUBLISHABLE_KEY")
        folder = self.folder / "storefront"
        folder.mkdir()
        return storefront(folder, self.storefront_port, {name: self.environment[name] for name in names})

    def ingress(self) -> Server:
        """An nginx with the routes of the chart's ingress."""
        routes = dict.fromkeys(backend_paths(), self.backend_url)
        return ingress(self.folder, self.port, routes | {"/": f"http://127.0.0.1:{self.storefront_port}"})

    def health(self, query: str = "") -> tuple[int, dict[str, Any]]:
        """Return status and body of the backend's health check, (0, {}) without a response."""
        try:
            answer = httpx2.get(f"{self.backend_url}/urumi-healthz{query}", timeout=30)
        except httpx2.TransportError:
            return 0, {}
        return answer.status_code, answer.json()

    def client(self, scheme: str = "http") -> httpx2.Client:
        """A client of the backend that comes from an ingress controller."""
        return httpx2.Client(base_url=self.backend_url, headers={"X-Forwarded-Proto": scheme}, timeout=60)

    def merchant(self) -> httpx2.Client:
        """A client of the Admin API that is signed in by token."""
        with self.client() as guest:
            token = sign_in(guest, ADMIN_EMAIL, self.password)
        return httpx2.Client(base_url=self.backend_url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def shopper(self) -> httpx2.Client:
        """A client of the Store API with the storefront's key."""
        headers = {"x-publishable-api-key": self.key}
        return httpx2.Client(base_url=self.backend_url, headers=headers, timeout=60)

    def _is_serving(self) -> bool:
        return self.health("?serving")[0] == 200
