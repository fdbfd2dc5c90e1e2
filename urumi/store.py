"""What a Store is: its names, its engines, its phases, and the rules for its id.

The CustomResourceDefinition in `crds/stores.yaml` states the same rules for the API server; a test compares the two.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

from urumi.errors import InvalidRequest

GROUP = "stores.urumi.ai"
VERSION = "v1alpha1"
PLURAL = "stores"
KIND = "Store"

MANAGED_LABEL = "urumi.ai/managed-store"
STORE_ID_LABEL = "urumi.ai/storeId"
FINALIZER = "stores.urumi.ai/finalizer"
RETRY_ANNOTATION = "reconcile.urumi.ai/requestedAt"

STORE_ID_PATTERN = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
STORE_ID_MIN_LENGTH = 3
STORE_ID_MAX_LENGTH = 32

_STORE_ID = re.compile(STORE_ID_PATTERN)


class Engine(StrEnum):
    """The shop software of a store."""

    _value_: str
    display_name: str  # its name for display
    parts: str  # its components for display

    WOOCOMMERCE = "woocommerce", "WooCommerce", "WordPress with MariaDB"
    MEDUSA = "medusa", "Medusa", "Node.js with PostgreSQL and Redis"

    def __new__(cls, value: str, display_name: str = "", parts: str = "") -> Self:
        """Return the member whose value is the name of the engine in the API."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.display_name = display_name
        member.parts = parts
        return member


class Phase(StrEnum):
    """A summary of a store's conditions for display; code branches on conditions instead."""

    PENDING = "Pending"
    PROVISIONING = "Provisioning"
    READY = "Ready"
    DEGRADED = "Degraded"
    FAILED = "Failed"
    DELETING = "Deleting"
    DELETED = "Deleted"  # Never in a status: clients display it for a store that has just disappeared.


def namespace_name(store_id: str) -> str:
    """Return the namespace of a store: `store-<id>`."""
    return f"store-{store_id}"


def release_name(engine: Engine, store_id: str) -> str:
    """Return the Helm release of a store: `<engine>-<id>`."""
    return f"{engine.value}-{store_id}"


def store_labels(store_id: str) -> dict[str, str]:
    """Return the labels of every object of a store."""
    return {MANAGED_LABEL: "true", STORE_ID_LABEL: store_id}


def check_store_id(store_id: object) -> str:
    """Return the id unchanged.

    Raises:
        InvalidRequest: if the id breaks a rule; the message states the rule and the value.
    """
    if not isinstance(store_id, str):
        raise InvalidRequest(f"storeId must be a string, got {store_id!r}.", field="storeId")
    problem = store_id_problem(store_id)
    if problem:
        raise InvalidRequest(f"storeId {problem}, got {store_id[:80]!r}.", field="storeId", hint="Try shop-1.")
    return store_id


def store_id_problem(store_id: str) -> str:
    """Return which rule an id breaks, as a predicate ("must have ..."); empty if it is valid."""
    if not STORE_ID_MIN_LENGTH <= len(store_id) <= STORE_ID_MAX_LENGTH:
        return f"must have {STORE_ID_MIN_LENGTH} to {STORE_ID_MAX_LENGTH} characters"
    if not _STORE_ID.fullmatch(store_id):
        return "may hold lower-case letters, digits and inner hyphens only"
    return ""


def check_engine(engine: object) -> Engine:
    """Return the engine with that name.

    Raises:
        InvalidRequest: if there is none; the message lists the engines and the value.
    """
    if isinstance(engine, str) and engine in {known.value for known in Engine}:
        return Engine(engine)
    choices = " or ".join(repr(known.value) for known in Engine)
    raise InvalidRequest(f"engine must be {choices}, got {engine!r}.", field="engine")
