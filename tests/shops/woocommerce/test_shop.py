"""A real shop: WordPress with WooCommerce on a real MariaDB, installed by the init container's command, bought from.

Needs `URUMI_WORDPRESS_TREE`, a folder with WordPress and WooCommerce, as described in docs/woocommerce.md.
"""

import re
from typing import TYPE_CHECKING, Any

from testing.shops.woocommerce.mailbox import mailbox
from testing.shops.woocommerce.shop import Shop, order_by_cash_on_delivery

if TYPE_CHECKING:
    import httpx2

HEALTH = "/?urumi-healthz"
SERVING = "/?urumi-healthz=serving"


def health(client: "httpx2.Client", path: str = HEALTH) -> tuple[int, list[str]]:
    """Return the status and the problems of the health endpoint."""
    answer = client.get(path)
    said: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert said["ok"] is (answer.status_code == 200)
    return answer.status_code, said["problems"]


def sign_in(client: "httpx2.Client", shop: Shop, password: str) -> bool:
    """Fill the form of wp-login.php."""
    form = {"log": "admin", "pwd": password, "testcookie": "1"}
    cookie = {"Cookie": "wordpress_test_cookie=WP%20Cookie%20check"}
    answer = client.post("/wp-login.php", data=form, headers=cookie)
    return answer.status_code == 302 and answer.headers["location"].startswith(f"{shop.url}/wp-admin/")


def test_a_new_shop_is_healthy_and_takes_an_order(empty_shop: Shop) -> None:
    with empty_shop.served() as client:
        before = health(client)
        said = empty_shop.install()

        assert before == (503, ["WordPress is not installed: the database does not contain its tables."])
        assert "install: shop created: IN:KA, INR." in said
        assert health(client) == (200, [])
        order = order_by_cash_on_delivery(client, "sample-mug")

    assert order["status"] == "processing"
    assert order["payment_result"]["payment_status"] == "success"
    kept = empty_shop.database.query("SELECT status, total_amount FROM wp_wc_orders", empty_shop.database_name)
    assert kept == "wc-processing\t58.90000000\n"  # in the new tables, and with the flat rate of 49


def test_the_second_start_changes_nothing_and_keeps_the_owners_settings(shop: Shop) -> None:
    shop.set_option("woocommerce_currency", "EUR")
    try:
        said = shop.install()

        answers, nothing_to_do = said.splitlines()
        assert answers.startswith("install: connected to the database after")
        assert re.fullmatch(r"install: the shop is already installed, revision \w{16}\.", nothing_to_do)
        assert shop.options("woocommerce_currency") == {"woocommerce_currency": "EUR"}
    finally:
        shop.set_option("woocommerce_currency", "INR")


def test_a_new_image_updates_the_schema_and_keeps_the_owners_settings(shop: Shop) -> None:
    current = shop.options("woocommerce_db_version", "db_version", "urumi_revision")
    shop.set_option("urumi_revision", "that of an older image")
    shop.set_option("woocommerce_db_version", "10.0.0")
    shop.set_option("db_version", "50000")
    shop.set_option("blogname", "Renamed by its owner")

    said = shop.install()

    assert "install: WooCommerce schema updated from 10.0.0 to" in said
    assert "install: WordPress schema updated to version" in said
    assert shop.options("woocommerce_db_version", "db_version", "urumi_revision") == current
    assert shop.options("blogname") == {"blogname": "Renamed by its owner"}


def test_an_interrupted_installation_is_finished_by_the_next_start(empty_shop: Shop) -> None:
    (empty_shop.root / "wp-content/mu-plugins/urumi.php").rename(empty_shop.root / "urumi.php")
    cut_off = empty_shop.try_to_install()
    (empty_shop.root / "urumi.php").rename(empty_shop.root / "wp-content/mu-plugins/urumi.php")

    said = empty_shop.install()

    assert cut_off.returncode == 1
    assert "failed to load WooCommerce or the must-use plugin" in cut_off.stderr
    assert "install: shop created" in said
    assert "WordPress" not in said  # its tables are there


def test_pages_products_and_the_front_page_have_the_usual_addresses(shop: Shop) -> None:
    with shop.served() as client:
        pages = {path: client.get(path) for path in ("/", "/product/sample-mug/", "/cart/", "/my-account/")}

    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(pages, 200)
    assert "Sample mug" in pages["/"].text
    assert "Coming soon" not in pages["/"].text


def test_the_administrator_signs_in_with_the_secrets_password_and_the_shop_stays_open(shop: Shop) -> None:
    """On the first visit of wp-admin WooCommerce closes a shop without an explicit coming-soon setting."""
    with shop.served() as client:
        assert not sign_in(client, shop, "guessed")
        assert sign_in(client, shop, shop.password)
        orders = client.get("/wp-admin/admin.php?page=wc-orders")
        after = health(client)

    assert orders.status_code == 200
    assert after == (200, [])


def test_a_closed_shop_is_reported_and_still_serves_its_owner(shop: Shop) -> None:
    shop.set_option("woocommerce_coming_soon", "yes")
    try:
        with shop.served() as client:
            status, problems = health(client)
            serving = health(client, SERVING)
    finally:
        shop.set_option("woocommerce_coming_soon", "no")

    assert (status, len(problems)) == (503, 1)
    assert 'The shop is closed: "Coming soon" is on' in problems[0]
    assert serving == (200, [])


def test_without_cash_on_delivery_no_order_can_be_placed(shop: Shop) -> None:
    [before] = shop.options("woocommerce_cod_settings").values()
    shop.set_option("woocommerce_cod_settings", before.replace('"enabled";s:3:"yes"', '"enabled";s:2:"no"'))
    try:
        with shop.served() as client:
            status, problems = health(client)
    finally:
        shop.set_option("woocommerce_cod_settings", before)

    assert (status, problems) == (
        503,
        ["Cash on delivery is disabled. Enable it in WooCommerce > Settings > Payments."],
    )


def test_without_woocommerce_there_is_no_shop(shop: Shop) -> None:
    [before] = shop.options("active_plugins").values()
    shop.set_option("active_plugins", "a:0:{}")
    try:
        with shop.served() as client:
            status, problems = health(client)
    finally:
        shop.set_option("active_plugins", before)

    assert (status, problems) == (503, ["WooCommerce is not loaded. Activate it in Plugins."])


def test_without_its_database_nothing_is_served_and_no_secret_is_shown(shop: Shop) -> None:
    with shop.served() as client:
        shop.database.stop()
        try:
            answers = [client.get(path) for path in (HEALTH, SERVING)]
            static = client.get("/wp-includes/images/blank.gif")
        finally:
            shop.database.start()
        after = health(client)

    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].json() == {"ok": False, "problems": ["The database does not respond (error 2002)."]}
    assert static.status_code == 200  # liveness: a restart of WordPress would not bring the database back
    assert after == (200, [])


def test_mail_is_sent_to_the_mail_server_of_the_values(shop: Shop) -> None:
    with mailbox() as server:
        shop.settings = {
            "URUMI_MAIL_HOST": "127.0.0.1",
            "URUMI_MAIL_PORT": str(server.port),
            "URUMI_MAIL_ENCRYPTION": "none",
            "URUMI_MAIL_FROM": "shop@example.org",
            "URUMI_MAIL_USERNAME": "shop",
            "URUMI_MAIL_PASSWORD": "s3cret",
        }
        try:
            with shop.served() as client:
                order_by_cash_on_delivery(client, "sample-mug")
        finally:
            shop.settings = {}

    customers = [letter for letter in server.letters if letter.recipients == ["TO:<ada@example.org>"]]
    assert [(letter.account, letter.sender) for letter in customers] == [("shop s3cret", "FROM:<shop@example.org>")]
    assert "Sample mug" in customers[0].text


def test_without_a_mail_server_the_order_is_accepted_and_the_unsent_mail_is_logged(shop: Shop) -> None:
    with shop.served() as client:
        order = order_by_cash_on_delivery(client, "sample-mug")

    assert order["status"] == "processing"
    assert "e-mail not sent: no mail server is configured" in (shop.root.parent / "server.log").read_text()
