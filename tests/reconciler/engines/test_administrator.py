"""Reading the administrator account: which Secrets are accepted, and what the error says about others."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.engines.administrator import read_administrator
from reconciler.engines.engine import Administrator
from reconciler.kube.client import Kube
from tests.reconciler.engines.shop_double import ShopDouble
from urumi.errors import AdministratorNotFound

pytestmark = pytest.mark.anyio

SECRET = ("GET", "/api/v1/namespaces/store-shop-1/secrets/store-admin")
OWN = {"urumi.ai/storeId": "shop-1"}


def secret(labels: dict[str, str] | None, **data: str) -> dict[str, Any]:
    """Return a Secret as the API server does."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"kind": "Secret", "metadata": {"name": "store-admin", "labels": labels}, "data": encoded}


async def read(folder: Path, responses: dict[tuple[str, str], Any]) -> Administrator:
    """Read the account from an API server that returns fixed responses."""
    async with ShopDouble(responses) as visitor:
        cluster = {"name": "test", "cluster": {"server": visitor.endpoint.address}}
        context = {"name": "test", "context": {"cluster": "test", "user": "test"}}
        user = {"name": "test", "user": {"token": "token"}}
        config = {"clusters": [cluster], "contexts": [context], "users": [user], "current-context": "test"}
        (folder / "kubeconfig").write_text(json.dumps(config))
        kube = await Kube.connect(folder / "kubeconfig")
        try:
            return await read_administrator(kube, "shop-1", "admin@shop-1.test")
        finally:
            await kube.close()


async def test_the_account_is_name_and_password_of_the_secret_with_the_given_address(tmp_path: Path) -> None:
    found = await read(tmp_path, {SECRET: secret(OWN, username="admin", password="pässword")})
    assert found == Administrator("admin", "admin@shop-1.test", "pässword")


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        pytest.param({}, "Secret store-shop-1/store-admin not found", id="missing"),
        pytest.param(
            {SECRET: secret({"urumi.ai/storeId": "shop-2"}, username="x", password="y")},
            "Secret store-shop-1/store-admin is not managed by Urumi: no label urumi.ai/storeId=shop-1",
            id="label of another store",
        ),
        pytest.param(
            {SECRET: secret(None, username="x", password="y")},
            "Secret store-shop-1/store-admin is not managed by Urumi: no label urumi.ai/storeId=shop-1",
            id="no label",
        ),
        pytest.param(
            {SECRET: secret(OWN, username="admin")},
            "Secret store-shop-1/store-admin is incomplete: no key password",
            id="no password",
        ),
        pytest.param(
            {SECRET: secret(OWN)},
            "Secret store-shop-1/store-admin is incomplete: no key username and password",
            id="empty",
        ),
    ],
)
async def test_any_other_secret_is_one_clear_error(tmp_path: Path, responses: dict[Any, Any], message: str) -> None:
    with pytest.raises(AdministratorNotFound) as failure:
        await read(tmp_path, responses)
    assert failure.value.message == message
