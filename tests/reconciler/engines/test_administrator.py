"""Reading the administrator account: which Secrets are accepted, and what the error says about others."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.engines.administrator import read_administrator
from reconciler.engines.engine import Administrator
from testing.shops.double import ADMIN_SECRET, OWN_LABEL, ShopDouble, admin_secret, kube_at
from urumi.errors import AdministratorNotFound

pytestmark = pytest.mark.anyio


async def read(folder: Path, responses: dict[tuple[str, str], Any]) -> Administrator:
    """Read the account from an API server that returns fixed responses."""
    async with ShopDouble(responses) as visitor, kube_at(visitor.endpoint.address, folder) as kube:
        return await read_administrator(kube, "shop-1", "admin@shop-1.test")


async def test_the_account_is_name_and_password_of_the_secret_with_the_given_address(tmp_path: Path) -> None:
    found = await read(tmp_path, {ADMIN_SECRET: admin_secret(OWN_LABEL, username="admin", password="pässword")})
    assert found == Administrator("admin", "admin@shop-1.test", "pässword")


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        pytest.param({}, "Secret store-shop-1/store-admin not found", id="missing"),
        pytest.param(
            {ADMIN_SECRET: admin_secret({"urumi.ai/storeId": "shop-2"}, username="x", password="y")},
            "Secret store-shop-1/store-admin is not managed by Urumi: no label urumi.ai/storeId=shop-1",
            id="label of another store",
        ),
        pytest.param(
            {ADMIN_SECRET: admin_secret(None, username="x", password="y")},
            "Secret store-shop-1/store-admin is not managed by Urumi: no label urumi.ai/storeId=shop-1",
            id="no label",
        ),
        pytest.param(
            {ADMIN_SECRET: admin_secret(OWN_LABEL, username="admin")},
            "Secret store-shop-1/store-admin is incomplete: no key password",
            id="no password",
        ),
        pytest.param(
            {ADMIN_SECRET: admin_secret(OWN_LABEL)},
            "Secret store-shop-1/store-admin is incomplete: no key username and password",
            id="empty",
        ),
    ],
)
async def test_any_other_secret_is_one_clear_error(tmp_path: Path, responses: dict[Any, Any], message: str) -> None:
    with pytest.raises(AdministratorNotFound) as failure:
        await read(tmp_path, responses)
    assert failure.value.message == message
