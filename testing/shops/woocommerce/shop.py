"""A shop as its container runs it: the chart's files over a folder with WordPress, with Debian's PHP.

The folder is a copy of the one that `URUMI_WORDPRESS_TREE` names: WordPress with WooCommerce in `wp-content/plugins`.
Neither is part of this repository. The differences to the image: PHP's built-in server instead of Apache, and a
wp-config.php with the same variables instead of the official one.
"""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from testing.shops.woocommerce.mariadb import DEADLINE_SECONDS, MariaDb, free_port

CHART = Path(__file__).resolve().parents[3] / "charts" / "woocommerce"
FILES = CHART / "files"
KEYS = [f"{name}_{half}" for name in ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE") for half in ("KEY", "SALT")]

# The same effect as wp-config-docker.php of the official image, for the variables that the chart sets.
CONFIG = """<?php
define('DB_NAME', getenv('WORDPRESS_DB_NAME'));
define('DB_USER', getenv('WORDPRESS_DB_USER'));
define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD'));
define('DB_HOST', getenv('WORDPRESS_DB_HOST'));
define('DB_CHARSET', getenv('WORDPRESS_DB_CHARSET'));
define('DB_COLLATE', '');
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define("{$name}_KEY", getenv("WORDPRESS_{$name}_KEY"));
    define("{$name}_SALT", getenv("WORDPRESS_{$name}_SALT"));
}
$table_prefix = 'wp_';
if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {
    $_SERVER['HTTPS'] = 'on';
}
eval(getenv('WORDPRESS_CONFIG_EXTRA'));
defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""


def assemble(tree: Path, root: Path) -> None:
    """Make the image's folder: a copy of WordPress and WooCommerce, and the chart's files on it."""
    shutil.copytree(tree, root, symlinks=True)
    (root / "wp-config-docker.php").write_text(CONFIG)
    theme = root / "wp-content" / "themes" / "storefront"
    stands_in = not theme.exists()
    theme.mkdir(exist_ok=True)  # an existing folder is not downloaded
    done = subprocess.run([FILES / "assemble", root], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    if stands_in:
        theme.rmdir()


@dataclass(slots=True)
class Shop:
    """One installation, complete or not."""

    root: Path
    database: MariaDb
    database_name: str
    config_extra: str = ""
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    database_password: str = field(default_factory=lambda: secrets.token_hex(12))
    settings: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=lambda: {f"WORDPRESS_{key}": secrets.token_hex(32) for key in KEYS})

    @property
    def url(self) -> str:
        """The address of the shop."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the chart."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root.parent),
            "URUMI_WORDPRESS_ROOT": str(self.root),
            "URUMI_STORE_ID": "shop-a",
            "URUMI_STORE_TITLE": 'Ada\'s "Mugs" & More',
            "URUMI_STORE_URL": self.url,
            "URUMI_ADMIN_USERNAME": "admin",
            "URUMI_ADMIN_PASSWORD": self.password,
            "URUMI_ADMIN_EMAIL": "admin@shop-a.test",
            "URUMI_SHOP_COUNTRY": "IN:KA",
            "URUMI_SHOP_CURRENCY": "INR",
            "URUMI_SHOP_SHIPPING_COST": "49",
            "URUMI_SHOP_SAMPLES": "true",
            "WORDPRESS_DB_HOST": f"127.0.0.1:{self.database.port}",
            "WORDPRESS_DB_NAME": self.database_name,
            "WORDPRESS_DB_USER": self.database_name,
            "WORDPRESS_DB_PASSWORD": self.database_password,
            "WORDPRESS_DB_CHARSET": "utf8mb4",
            "WORDPRESS_CONFIG_EXTRA": self.config_extra,
            **self.keys,
            **self.settings,
        }

    def install(self) -> str:
        """Run the init container's command and return its output; the test fails if it fails."""
        done = self.try_to_install()
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout

    def try_to_install(self) -> subprocess.CompletedProcess[str]:
        """Run the init container's command, whether it fails or not."""
        return subprocess.run(
            [FILES / "urumi-install"], env=self.environment, capture_output=True, text=True, timeout=180, check=False
        )

    def options(self, *names: str) -> dict[str, str]:
        """Read options of WordPress from its database."""
        wanted = ",".join(f"'{name}'" for name in names)
        rows = self.database.query(
            f"SELECT option_name, option_value FROM wp_options WHERE option_name IN ({wanted})",  # noqa: S608
            self.database_name,
        )
        return dict(row.split("\t", 1) for row in rows.splitlines())

    def set_option(self, name: str, value: str) -> None:
        """Write an option directly to the database, past every cache."""
        self.database.query(
            f"UPDATE wp_options SET option_value = '{value}' WHERE option_name = '{name}'",  # noqa: S608
            self.database_name,
        )

    @contextmanager
    def served(self) -> Iterator[httpx2.Client]:
        """Serve the shop inside the block; a client that follows no redirect."""
        command = ["php", "-d", "memory_limit=256M", "-d", "display_errors=0", "-S", f"127.0.0.1:{self.port}"]
        log = (self.root.parent / "server.log").open("ab")
        with (
            log,
            subprocess.Popen([*command, "-t", self.root], env=self.environment, stdout=log, stderr=log) as server,
            httpx2.Client(base_url=self.url, timeout=60) as client,
        ):
            try:
                self._wait_until_served(client)
                yield client
            finally:
                server.terminate()

    def _wait_until_served(self, client: httpx2.Client) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                client.get("/readme.html")
                return
            except httpx2.TransportError:
                assert time.monotonic() < deadline, (self.root.parent / "server.log").read_text()
                time.sleep(0.1)


def order_by_cash_on_delivery(client: httpx2.Client, sku: str) -> dict[str, Any]:
    """Buy one piece as a guest with the Store API; return the response of the checkout."""
    cart = client.get("/wp-json/wc/store/v1/cart")
    assert cart.status_code == 200, cart.text
    session = {"Cart-Token": cart.headers["Cart-Token"], "Nonce": cart.headers["Nonce"]}
    [product] = client.get("/wp-json/wc/store/v1/products", params={"sku": sku}).json()
    item = {"id": product["id"], "quantity": 1}
    added = client.post("/wp-json/wc/store/v1/cart/add-item", headers=session, json=item)
    assert added.status_code == 201, added.text
    address = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "address_1": "1 MG Road",
        "city": "Bengaluru",
        "state": "KA",
        "postcode": "560001",
        "country": "IN",
        "phone": "9999999999",
    }
    order = {
        "billing_address": address | {"email": "ada@example.org"},
        "shipping_address": address,
        "payment_method": "cod",
        "payment_data": [],
    }
    placed = client.post("/wp-json/wc/store/v1/checkout", headers=session, json=order)
    assert placed.status_code == 200, placed.text
    answer: dict[str, Any] = placed.json()
    return answer
