"""The credentials step: every value is generated once, and a lost Secret of a released store is not replaced."""

import base64

import pytest

from reconciler.engines.registry import ENGINES
from reconciler.kube.resources import SECRETS, Object
from reconciler.steps.ensure_credentials import ensure_credentials
from reconciler.steps.ensure_namespace import ensure_namespace
from reconciler.store.object import StoreObject
from tests.reconciler.harness import NAMESPACE, STORE_ID, Harness
from urumi.errors import BlockedError
from urumi.store import STORE_ID_LABEL

pytestmark = pytest.mark.anyio


async def store_with_namespace(harness: Harness, engine: str = "woocommerce") -> StoreObject:
    """Return a store whose namespace exists."""
    await harness.create_store(engine)
    store = await harness.store()
    await ensure_namespace(harness.kube, store)
    return store


def text(secret: Object, key: str) -> str:
    """Return a value of a Secret."""
    return base64.b64decode(secret["data"][key]).decode()


@pytest.mark.parametrize("engine", ["woocommerce", "medusa"])
async def test_both_secrets_are_created_with_every_key_of_the_engine(harness: Harness, engine: str) -> None:
    store = await store_with_namespace(harness, engine)
    admin, keys = await ensure_credentials(harness.kube, store, is_released=False)
    assert (text(admin, "username"), text(admin, "storeId")) == ("admin", STORE_ID)
    assert len(text(admin, "password")) >= 24
    assert keys["data"].keys() == ENGINES[store.engine].generated_secrets.keys()
    assert all(secret["metadata"]["labels"][STORE_ID_LABEL] == STORE_ID for secret in (admin, keys))


async def test_values_never_change_and_a_missing_key_is_added(harness: Harness) -> None:
    store = await store_with_namespace(harness)
    _, before = await ensure_credentials(harness.kube, store, is_released=False)
    await harness.others.merge(
        SECRETS, "store-secrets", {"data": {"database-password": None, "own": "eA=="}}, NAMESPACE
    )
    _, after = await ensure_credentials(harness.kube, store, is_released=True)
    assert after["data"].keys() == {*before["data"], "own"}
    changed = {key for key in before["data"] if before["data"][key] != after["data"][key]}
    assert changed == {"database-password"}


@pytest.mark.parametrize("name", ["store-admin", "store-secrets"])
async def test_a_lost_secret_of_a_released_store_blocks_it(harness: Harness, name: str) -> None:
    store = await store_with_namespace(harness)
    await ensure_credentials(harness.kube, store, is_released=False)
    await harness.others.delete(SECRETS, name, NAMESPACE)
    with pytest.raises(BlockedError) as raised:
        await ensure_credentials(harness.kube, store, is_released=True)
    assert raised.value.reason == "SecretLost"
    assert raised.value.message.startswith(f"Secret {NAMESPACE}/{name} is missing")
    assert raised.value.hint.startswith("Restore the Secret from a backup")
    assert await harness.others.get(SECRETS, name, NAMESPACE) is None


async def test_a_ready_store_whose_secret_is_deleted_fails_without_a_new_password(harness: Harness) -> None:
    await harness.ready_store()
    await harness.others.delete(SECRETS, "store-secrets", NAMESPACE)
    seen = await harness.reconcile()
    assert (seen.phase, seen.error["reason"]) == ("Failed", "SecretLost")
    assert len(harness.helm.installs) == 1
