"""The rules for ids and engines, and that the CustomResourceDefinition states the same ones."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from urumi import store
from urumi.errors import InvalidRequest
from urumi.store import Engine, Phase, check_engine, check_store_id
from urumi.wire import CreateStore

CRD = Path(__file__).resolve().parents[2] / "crds" / "stores.yaml"
GOOD_IDS = ["abc", "a-b", "shop-1", "1st", "0-0", "a" * 32, "a--b"]
BAD_IDS = {
    "": "must have 3 to 32 characters",
    "ab": "must have 3 to 32 characters",
    "a" * 33: "must have 3 to 32 characters",
    "Shop": "may hold lower-case letters",
    "-abc": "may hold lower-case letters",
    "abc-": "may hold lower-case letters",
    "a.b": "may hold lower-case letters",
    "a_b": "may hold lower-case letters",
    "a b": "may hold lower-case letters",
    "shöp": "may hold lower-case letters",
    "abc\n": "may hold lower-case letters",
    "../x": "may hold lower-case letters",
}


@pytest.mark.parametrize("store_id", GOOD_IDS)
def test_valid_ids_are_returned_unchanged(store_id: str) -> None:
    assert check_store_id(store_id) == store_id
    assert CreateStore(store_id=store_id, engine=Engine.MEDUSA).store_id == store_id


@pytest.mark.parametrize(("store_id", "rule"), BAD_IDS.items())
def test_invalid_ids_are_rejected_with_the_rule_and_the_value(store_id: str, rule: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_store_id(store_id)
    assert rule in caught.value.message
    assert repr(store_id[:80]) in caught.value.message
    assert caught.value.field == "storeId"
    with pytest.raises(ValidationError):
        CreateStore(store_id=store_id, engine=Engine.MEDUSA)


def test_an_id_that_is_not_a_string_is_rejected() -> None:
    with pytest.raises(InvalidRequest, match="must be a string, got 7"):
        check_store_id(7)


def test_a_long_id_is_not_repeated_in_full() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_store_id("x" * 100_000)
    assert len(caught.value.sentence()) < 300


@pytest.mark.parametrize("engine", ["shopify", "", "WooCommerce", None, 1, ["medusa"]])
def test_unknown_engines_are_rejected_with_a_list_of_the_known_ones(engine: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_engine(engine)
    assert caught.value.message == f"engine must be 'woocommerce' or 'medusa', got {engine!r}."


def test_known_engines_pass() -> None:
    assert [check_engine(name) for name in ("woocommerce", "medusa")] == [Engine.WOOCOMMERCE, Engine.MEDUSA]


def test_names_of_a_store() -> None:
    assert store.namespace_name("shop-1") == "store-shop-1"
    assert store.release_name(Engine.MEDUSA, "shop-1") == "medusa-shop-1"
    assert store.store_labels("shop-1") == {"urumi.ai/managed-store": "true", "urumi.ai/storeId": "shop-1"}
    # Helm allows 53 characters for a release, Kubernetes 63 for a namespace.
    longest = "a" * store.STORE_ID_MAX_LENGTH
    assert max(len(store.release_name(engine, longest)) for engine in Engine) <= 53
    assert len(store.namespace_name(longest)) <= 63


@pytest.fixture(scope="module")
def definition() -> Any:
    """The CustomResourceDefinition's spec."""
    return yaml.safe_load(CRD.read_text())["spec"]


def test_the_definition_has_the_names_that_the_code_uses(definition: Any) -> None:
    assert definition["group"] == store.GROUP
    assert (definition["names"]["plural"], definition["names"]["kind"]) == (store.PLURAL, store.KIND)
    assert [version["name"] for version in definition["versions"]] == [store.VERSION]


def test_the_definition_states_the_rules_of_the_code(definition: Any) -> None:
    properties = definition["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    store_id = properties["spec"]["properties"]["storeId"]
    assert store_id["pattern"] == store.STORE_ID_PATTERN
    assert (store_id["minLength"], store_id["maxLength"]) == (store.STORE_ID_MIN_LENGTH, store.STORE_ID_MAX_LENGTH)
    assert set(properties["spec"]["properties"]["engine"]["enum"]) == {engine.value for engine in Engine}


def test_the_definition_has_every_phase(definition: Any) -> None:
    status = definition["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    assert set(status["phase"].get("enum", [phase.value for phase in Phase])) == {phase.value for phase in Phase}
