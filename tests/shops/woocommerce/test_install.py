"""The installation up to the point where it needs WordPress: its variables, the wait for the database, the lock.

Against a real MariaDB, and without WordPress: that half is in test_shop.py.
"""

import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from testing.shops.woocommerce.mariadb import DEADLINE_SECONDS
from testing.shops.woocommerce.shop import FILES, Shop

if TYPE_CHECKING:
    from testing.shops.woocommerce.mariadb import MariaDb


def has_mysqli() -> bool:
    """Return whether PHP has the mysqli extension."""
    try:
        modules = subprocess.run(["php", "-m"], capture_output=True, text=True, timeout=60, check=False).stdout
    except OSError:
        return False
    return "mysqli" in modules.split()


pytestmark = pytest.mark.skipif(not has_mysqli(), reason="php has no mysqli here: apt-get install php-cli php-mysql")


@pytest.fixture
def shop(database: "MariaDb", tmp_path: Path) -> Shop:
    """A shop with only the files that the installation reads first, and without a database."""
    for name in ("wp-includes/version.php", "wp-content/plugins/woocommerce/woocommerce.php"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True)
        path.write_text("<?php\n")
    return Shop(tmp_path / "root", database, f"wait_{tmp_path.name.replace('-', '_')[-40:]}")


@pytest.mark.parametrize("name", ["URUMI_ADMIN_PASSWORD", "URUMI_STORE_URL", "WORDPRESS_DB_HOST"])
def test_a_missing_variable_is_named(shop: Shop, name: str) -> None:
    shop.settings = {name: ""}

    done = shop.try_to_install()

    assert done.returncode == 1
    assert (
        done.stderr == f"install: cannot install the shop: environment variable {name} is not set. The chart sets it.\n"
    )


def test_an_image_without_woocommerce_is_refused(shop: Shop) -> None:
    missing = shop.root / "wp-content/plugins/woocommerce/woocommerce.php"
    missing.unlink()

    done = shop.try_to_install()

    assert done.returncode == 1
    assert done.stderr == f"install: {missing} not found: the image is incomplete. Build it with scripts/images.\n"


def test_an_open_port_is_not_enough_the_login_is_waited_for(shop: Shop, database: "MariaDb") -> None:
    """The official image opens its port before the user and the database of the shop exist."""
    with subprocess.Popen(
        [FILES / "urumi-install"], env=shop.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        watchdog = threading.Timer(DEADLINE_SECONDS, process.kill)
        watchdog.start()
        assert process.stdout is not None
        waiting = process.stdout.readline()
        database.make_shop_database(shop.database_name, shop.database_password)
        rest = process.stdout.read()
        watchdog.cancel()

    assert f"waiting for the database {shop.database_name}@127.0.0.1" in waiting
    assert "Access denied" in waiting
    assert "install: connected to the database after" in rest
    assert "core.php failed with exit code 255" in rest  # there is no WordPress here


def test_a_database_that_never_responds_ends_the_wait_with_its_error(shop: Shop, database: "MariaDb") -> None:
    database.make_shop_database(shop.database_name, "another password")
    shop.settings = {"URUMI_DATABASE_WAIT_SECONDS": "1"}

    done = shop.try_to_install()

    assert done.returncode == 1
    where = f"{shop.database_name}@127.0.0.1:{database.port}/{shop.database_name}"
    assert f"could not log in to the database {where} within 1 s: Access denied" in done.stderr
    assert shop.database_password not in done.stdout + done.stderr


def test_a_login_that_stays_refused_ends_the_wait_before_the_timeout(shop: Shop, database: "MariaDb") -> None:
    """As with a restored volume: after ten seconds of refusals the container fails, which Kubernetes reports."""
    database.make_shop_database(shop.database_name, "the password of the volume")

    done = shop.try_to_install()

    assert done.returncode == 1
    assert "up to 300 s" in done.stdout
    assert f"/{shop.database_name} refused the login: Access denied for user '{shop.database_name}'@" in done.stderr
    assert shop.database_password not in done.stdout + done.stderr


def test_two_pods_never_install_at_the_same_time(shop: Shop, database: "MariaDb") -> None:
    database.make_shop_database(shop.database_name, shop.database_password)
    shop.settings = {"URUMI_DATABASE_WAIT_SECONDS": "1"}
    command = ["mariadb", "--no-defaults", f"--socket={database.socket_path}", "--user=root", "-N"]

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        other.stdin.write("SELECT GET_LOCK('urumi-install', 0);\n")
        other.stdin.flush()
        deadline = time.monotonic() + DEADLINE_SECONDS
        while database.query("SELECT IS_FREE_LOCK('urumi-install')").strip() == "1":
            assert time.monotonic() < deadline
        done = shop.try_to_install()
        other.stdin.close()

    assert done.returncode == 1
    assert (
        done.stderr == "install: could not get the installation lock within 1 s: another pod of this store has it. "
        "The next start retries.\n"
    )


def test_a_stop_ends_the_wait_immediately(shop: Shop) -> None:
    with subprocess.Popen(
        [FILES / "urumi-install"], env=shop.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        assert "waiting for the database" in process.stdout.readline()
        process.terminate()

        assert process.wait(timeout=DEADLINE_SECONDS) == 143
