"""The audit trail: one line for each call that requests a change, with each fact once, for every outcome."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from reconciler.kube.resources import STORES
from tests.server.inprocess import NAMESPACE, TOKEN, URL, InProcess, served, store
from urumi.errors import ClusterError

pytestmark = pytest.mark.anyio

ID = "find-me.1"
BEARER = {"Authorization": f"Bearer {TOKEN}", "X-Request-Id": ID}
OTHER_UID = "00000000-0000-0000-0000-000000000000"
FACTS = ("action", "store", "outcome", "user", "ip", "request_id", "detail")


@pytest.fixture
async def server() -> AsyncIterator[InProcess]:
    """A server with two stores, of which one is being deleted."""
    async with served(store("shop-1"), store("shop-2")) as server:
        await server.kube.merge(STORES, "shop-2", {"metadata": {"finalizers": ["test/held"]}}, NAMESPACE)
        await server.kube.delete(STORES, "shop-2", NAMESPACE)
        await server.view.stores.until(lambda: (found := server.view.store("shop-2")) is not None and found.is_deleting)
        yield server


def lines_of(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return every log line of the request, whichever logger wrote it."""
    return [record for record in caplog.records if getattr(record, "request_id", "") == ID]


def facts_of(record: logging.LogRecord) -> dict[str, str]:
    """Return the facts of an audit line."""
    assert (record.name, record.getMessage()) == ("urumi.audit", "call audited")
    return {name: vars(record)[name] for name in FACTS if name in vars(record)}


def body(store_id: str, engine: str = "medusa") -> dict[str, str]:
    """Return the body of a creation."""
    return {"storeId": store_id, "engine": engine}


@pytest.mark.parametrize(
    ("method", "path", "sent", "headers", "facts"),
    [
        pytest.param("POST", "/stores", body("shop-3"), {}, ("create", "shop-3", "created", "admin"), id="created"),
        pytest.param("POST", "/stores", body("shop-1"), {}, ("create", "shop-1", "exists", "admin"), id="exists"),
        pytest.param(
            *("POST", "/stores", body("shop-1", "woocommerce"), {}),
            ("create", "shop-1", "refused: other engine", "admin"),
            id="other-engine",
        ),
        pytest.param(
            *("POST", "/stores", body("shop-2"), {}),
            ("create", "shop-2", "refused: being deleted", "admin"),
            id="being-deleted",
        ),
        pytest.param(
            "POST", "/stores", body("x"), {}, ("create", "", "refused: invalid-request", "admin"), id="invalid-id"
        ),
        pytest.param("POST", "/stores", b"{", {}, ("create", "", "refused: malformed", "admin"), id="malformed"),
        pytest.param(
            *("POST", "/stores", body("shop-3"), {"Authorization": "Bearer wrong"}),
            ("create", "", "refused: unauthorized", ""),
            id="unauthorized",
        ),
        pytest.param("DELETE", "/stores/shop-1", None, {}, ("delete", "shop-1", "requested", "admin"), id="delete"),
        pytest.param("DELETE", "/stores/shop-9", None, {}, ("delete", "shop-9", "absent", "admin"), id="absent"),
        pytest.param(
            *("DELETE", f"/stores/shop-1?uid={OTHER_UID}", None, {}),
            ("delete", "shop-1", "refused: another store", "admin"),
            id="delete-another",
        ),
        pytest.param("POST", "/stores/shop-1/retry", None, {}, ("retry", "shop-1", "requested", "admin"), id="retry"),
        pytest.param(
            "POST", "/stores/shop-9/retry", None, {}, ("retry", "shop-9", "refused: not-found", "admin"), id="not-found"
        ),
        pytest.param(
            "POST", "/session", {"token": TOKEN}, {"Origin": URL}, ("sign in", "", "done", "admin"), id="sign-in"
        ),
        pytest.param(
            *("POST", "/session", {"token": "wrong"}, {"Origin": URL}),
            ("sign in", "", "refused: unauthorized", ""),
            id="wrong-token",
        ),
        pytest.param(
            *("POST", "/session", {"token": TOKEN}, {"Origin": "https://evil.example"}),
            ("sign in", "", "refused: forbidden", ""),
            id="other-origin",
        ),
        pytest.param("DELETE", "/session", None, {}, ("sign out", "", "done", "admin"), id="sign-out"),
    ],
)
async def test_a_requested_change_is_one_line_with_each_fact_once(
    server: InProcess,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    sent: Any,
    headers: dict[str, str],
    facts: tuple[str, str, str, str],
) -> None:
    with caplog.at_level(logging.INFO):
        response = await server.request(method, path, sent, {**BEARER, **headers})

    [record] = lines_of(caplog)
    found = facts_of(record)
    action, store_id, outcome, user = facts
    expected = {"action": action, "store": store_id, "outcome": outcome, "user": user, "ip": "127.0.0.1"}
    detail = {"detail": response.json()["detail"]} if response.status_code >= 400 else {}
    assert found == {**expected, "request_id": ID, **detail}
    values = [value for value in found.values() if value]
    assert len(set(values)) == len(values)


async def test_a_creation_over_a_limit_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async with served(store("shop-1"), max_active_stores=1) as server:
        with caplog.at_level(logging.INFO):
            response = await server.request("POST", "/stores", body("shop-2"), BEARER)

    assert response.status_code == 409
    [record] = lines_of(caplog)
    assert facts_of(record)["outcome"] == "refused: quota-exceeded"


@pytest.mark.parametrize(
    ("status", "problem"), [(403, "cluster-refused"), (503, "cluster-unreachable"), (401, "cluster-unreachable")]
)
async def test_a_creation_that_the_cluster_refuses_is_one_line(
    server: InProcess, caplog: pytest.LogCaptureFixture, status: int, problem: str
) -> None:
    server.kube.fail("create", STORES, ClusterError("The API server refused.", status=status))
    with caplog.at_level(logging.INFO):
        await server.request("POST", "/stores", body("shop-3"), BEARER)

    [record] = lines_of(caplog)
    assert facts_of(record)["outcome"] == f"refused: {problem}"


async def test_a_lost_race_is_one_line_with_the_last_outcome(
    server: InProcess, caplog: pytest.LogCaptureFixture
) -> None:
    async def create_first() -> None:
        await server.kube.as_manager("kubectl").create(STORES, store("shop-3", "woocommerce"), NAMESPACE)

    server.kube.before("create", STORES, create_first)
    with caplog.at_level(logging.INFO):
        await server.request("POST", "/stores", body("shop-3"), BEARER)

    [record] = lines_of(caplog)
    assert facts_of(record)["outcome"] == "refused: other engine"


async def test_a_defect_is_audited_once_and_its_traceback_is_logged(
    server: InProcess, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        response = await server.request("POST", "/stores/shop-1/verify", None, BEARER)

    assert response.status_code == 500
    audit, defect = lines_of(caplog)
    assert facts_of(audit)["outcome"] == "refused: internal"
    assert (defect.levelname, defect.getMessage()) == ("ERROR", "request failed")
    assert defect.exc_info is not None


@pytest.mark.parametrize("path", ["/stores/shop-9", "/stores?limit=0", "/nothing"])
async def test_a_refused_call_that_changes_nothing_is_logged_and_not_audited(
    server: InProcess, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.INFO):
        await server.request("GET", path, None, BEARER)

    [record] = lines_of(caplog)
    assert record.getMessage() == "request refused"


async def test_a_read_that_succeeds_is_not_logged(server: InProcess, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await server.request("GET", "/stores", None, BEARER)

    assert lines_of(caplog) == []
