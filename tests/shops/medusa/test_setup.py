"""The init container's command: an empty database becomes a shop, once."""

import signal
import time
from typing import TYPE_CHECKING

from testing.shops.medusa.api_clients import fetch
from testing.shops.medusa.node import NODE_VERSION, SOURCES
from testing.shops.medusa.shop import ADMIN_EMAIL, TITLE, Shop

if TYPE_CHECKING:
    from testing.shops.medusa.servers import Postgres
    from tests.shops.medusa.conftest import OpenShop

SAMPLES = {"Beeswax candle", "Canvas tote", "Dotted notebook", "Stoneware mug"}


def contents(postgres: "Postgres", database: str) -> str:
    """The dump of a database, without the random tokens that newer versions of pg_dump add."""
    dump = postgres.run("pg_dump", postgres.url(database))
    return "\n".join(line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def test_an_empty_database_becomes_a_shop_that_can_sell(open_shop: "OpenShop") -> None:
    shop = open_shop.shop
    with shop.shopper() as shopper:
        [region] = fetch(shopper, "GET", "/store/regions")["regions"]
        query = {"region_id": region["id"], "fields": "title,*variants.calculated_price,+variants.inventory_quantity"}
        products = fetch(shopper, "GET", "/store/products", params=query)["products"]

    assert "urumi-migrate: migration complete" in open_shop.first_setup
    assert region["currency_code"] == "usd"
    assert {country["iso_2"] for country in region["countries"]} == {"us", "ca"}
    assert {product["title"] for product in products} == SAMPLES
    for product in products:
        for variant in product["variants"]:
            assert variant["calculated_price"]["calculated_amount"] > 0
            assert variant["inventory_quantity"] > 0


def test_the_shop_has_the_settings_that_were_requested(shop: Shop) -> None:
    with shop.merchant() as merchant:
        [store] = fetch(merchant, "GET", "/admin/stores")["stores"]
        user = fetch(merchant, "GET", "/admin/users/me")["user"]
        [option] = fetch(merchant, "GET", "/admin/shipping-options")["shipping_options"]

    assert store["name"] == TITLE
    assert [each["currency_code"] for each in store["supported_currencies"]] == ["usd"]
    assert user["email"] == ADMIN_EMAIL
    assert {price["amount"] for price in option["prices"]} == {5}


def test_a_second_run_changes_nothing_and_starts_no_medusa(shop: Shop, postgres: "Postgres") -> None:
    before = contents(postgres, "medusa")

    began = time.monotonic()
    said = shop.migrate()
    print(f"second run: {time.monotonic() - began:.2f} s")  # noqa: T201

    assert said.startswith("urumi-migrate: already up to date")
    assert len(said.splitlines()) == 1
    assert contents(postgres, "medusa") == before


def test_an_interrupted_run_is_finished_and_a_new_key_is_used_in_a_restored_backup(
    copied_shop: Shop, postgres: "Postgres"
) -> None:
    tables = ("product", "product_variant", "inventory_item", "inventory_level", "region", "shipping_option", '"user"')

    def rows() -> dict[str, str]:
        counts = " union all ".join(f"select $${table}$$, count(*) from {table}" for table in tables)  # noqa: S608
        return dict(line.split("|") for line in postgres.query(counts, "copied").splitlines())

    before = rows()
    # The state after a kill: the last script has done most of its work, but its end is not recorded.
    postgres.query(
        "delete from urumi_setup;"
        "update script_migrations set finished_at = null where script_name like '%first-setup%';"
        "delete from inventory_level where id = (select min(id) from inventory_level)",
        "copied",
    )
    new_key = "pk_" + "5" * 64

    said = copied_shop.migrate(URUMI_PUBLISHABLE_KEY=new_key)

    assert "urumi-migrate: migration complete" in said
    left = postgres.query("select count(*) from inventory_level where deleted_at is null", "copied")
    assert rows() == before | {"inventory_level": left}
    assert left == before["inventory_level"]
    assert postgres.query("select token from api_key where type = 'publishable'", "copied") == new_key
    assert copied_shop.migrate(URUMI_PUBLISHABLE_KEY=new_key).startswith("urumi-migrate: already up to date")


def test_what_is_missing_is_named(shop: Shop) -> None:
    done = shop.try_to_migrate(URUMI_PUBLISHABLE_KEY="", URUMI_ADMIN_EMAIL="")

    assert done.returncode == 1
    assert "not set: URUMI_PUBLISHABLE_KEY, URUMI_ADMIN_EMAIL. The chart sets them." in done.stderr


def test_a_database_that_never_answers_is_named(shop: Shop) -> None:
    nowhere = "postgres://medusa@127.0.0.1:9/medusa?sslmode=disable"

    done = shop.try_to_migrate(DATABASE_URL=nowhere, URUMI_MIGRATE_PATIENCE_SECONDS="1")

    assert done.returncode == 1
    assert "waiting for the database: " in done.stdout
    assert "could not connect to the database within 1 s" in done.stderr


def test_a_refused_database_login_is_reported_with_its_message_and_not_retried(
    shop: Shop, postgres: "Postgres"
) -> None:
    nobody = postgres.url("medusa").replace("medusa@", "nobody@")

    done = shop.try_to_migrate(DATABASE_URL=nobody)

    assert done.returncode == 1
    assert "the database refused the login: " in done.stderr


def test_a_stop_ends_the_wait_even_as_the_first_process_of_a_container(shop: Shop) -> None:
    with shop.begin_to_migrate(DATABASE_URL="postgres://medusa@127.0.0.1:1/medusa") as process:
        assert process.stdout is not None
        assert "waiting for the database" in process.stdout.readline()
        process.terminate()
        assert process.wait(30) == 128 + signal.SIGTERM


def test_the_image_uses_the_node_version_of_the_tests() -> None:
    assert f"\nARG NODE_IMAGE=node:{NODE_VERSION}-bookworm-slim\n" in (SOURCES / "Dockerfile").read_text()
