"""Marks of ownership, from managedFields as the API server writes them, and what their change means."""

from typing import Any

import pytest

from reconciler.store.inventory import (
    Owned,
    differences,
    formatted,
    ownership,
    parsed,
    with_applied,
    with_released,
    without,
)

HELMS = {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:ports": {}}}}
LESS = {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
STATUS = {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "fieldsV1": {"f:x": {}}}
EDIT = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:ports": {}}}}


def managed(*entries: dict[str, Any], **meta: Any) -> dict[str, Any]:
    """Return an object with these managed fields."""
    return {"kind": "Service", "metadata": {"name": "shop", "managedFields": list(entries), **meta}}


def test_fields_that_others_add_do_not_change_the_mark() -> None:
    assert ownership(managed(HELMS)) == ownership(managed(HELMS, STATUS))
    assert ownership(managed(HELMS)).startswith("helm:")


def test_an_edit_of_a_field_of_ours_changes_the_mark() -> None:
    assert ownership(managed(LESS, EDIT)) != ownership(managed(HELMS))


def test_an_object_without_fields_of_ours_has_no_mark() -> None:
    assert ownership(managed(EDIT, STATUS)) == ""
    assert ownership({"metadata": {"name": "bare"}}) == ""


@pytest.mark.parametrize("inventory", [{}, {"Service/shop": "helm:ab"}, {"A/a": "helm:1", "B/b": "urumi:2"}])
def test_an_inventory_survives_its_serialization(inventory: dict[str, str]) -> None:
    assert parsed(formatted(inventory)) == inventory


def test_differences_name_the_objects_of_one_writer() -> None:
    inventory = {"Service/shop": "helm:1", "Ingress/store": "helm:2", "ResourceQuota/store-quota": "urumi:3"}
    now = {"Service/shop": Owned("helm:9", ""), "ResourceQuota/store-quota": Owned("urumi:3", "")}
    found = differences(inventory, now, "helm")
    assert [str(difference) for difference in found] == ["Ingress store was deleted", "Service shop was changed"]
    assert [(each.kind, each.name, each.is_deleted) for each in found] == [
        ("Ingress", "store", True),
        ("Service", "shop", False),
    ]
    assert differences(inventory, now, "urumi") == ()


def test_objects_of_another_release_are_excluded() -> None:
    now = {"Service/shop": Owned("helm:1", "old"), "Ingress/store": Owned("helm:2", "new")}
    assert with_released({}, now, "new") == {"Ingress/store": "helm:2"}


def test_a_known_mark_is_kept_when_the_copy_differs() -> None:
    assert with_released({"Service/shop": "helm:1"}, {"Service/shop": Owned("helm:9", "new")}, "new") == {
        "Service/shop": "helm:1"
    }


def test_own_writes_replace_what_was_known() -> None:
    applied = managed({**HELMS, "manager": "urumi"})
    assert with_applied({"Service/shop": "urumi:0"}, [applied]) == {"Service/shop": ownership(applied)}


def test_the_objects_of_one_writer_can_be_excluded() -> None:
    assert without({"A/a": "helm:1", "B/b": "urumi:2"}, "helm") == {"B/b": "urumi:2"}
