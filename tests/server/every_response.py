"""Calls of every operation with every outcome, and the responses compared with the OpenAPI document.

The servers are real, with a real API server behind a proxy that fails on request: one shows its stores without
reconciling them, one authorizes callers with the cluster's RBAC, one has just started. Only defects are simulated.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from server.app import application
from server.auth.authority import SharedToken
from server.auth.ended_sessions import EndedSessions
from server.auth.identity import Gate
from server.auth.sessions import Sessions
from server.openapi.operations import operations
from server.settings import ServerSettings
from testing.accounts import Account
from testing.apiserver.server import ApiServer
from testing.faults.call import of
from testing.faults.proxy import ApiProxy
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from tests.server.api import PROBLEM_JSON, URN, Answer, Api, delete_store, idle_server
from urumi.store import namespace_name, store_labels

OPEN = frozenset({"health", "metrics"})
OTHER_UID = "00000000-0000-0000-0000-000000000000"
FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

# Method, path in the document, status, and the problem's name or an empty text.
Seen = tuple[str, str, int, str]


@dataclass
class Responses:
    """All responses, by operation."""

    document: Any
    answers: list[tuple[str, str, Answer]] = field(default_factory=list)

    def record(self, method: str, path: str, answer: Answer) -> Answer:
        """Record a response to a call of a path of the document."""
        self.answers.append((method, path, answer))
        return answer

    @property
    def seen(self) -> set[Seen]:
        """Return the responses that were received."""
        return {(method, path, answer.status, answer.problem) for method, path, answer in self.answers}

    @property
    def documented(self) -> set[Seen]:
        """Return the documented responses."""
        return {
            (method.upper(), path, int(status), name)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
            for status, response in operation["responses"].items()
            for name in names_in(response.get("content", {}))
        }


def names_in(content: Any) -> list[str]:
    """Return the names of the problems of a response, an empty one for other responses."""
    problems = content.get(PROBLEM_JSON)
    names = problems["schema"]["allOf"][1]["properties"]["type"]["enum"] if problems else []
    has_answer = any(kind != PROBLEM_JSON for kind in content) or not content
    return [name.removeprefix(URN) for name in names] + [""] * has_answer


class Defective:
    """Endpoints that all have a defect."""

    def __getattr__(self, name: str) -> Any:
        async def endpoint(request: Request) -> Response:
            raise ZeroDivisionError("a secret is in this sentence")

        return endpoint


def call_public(responses: Responses, api: Api) -> None:
    """Operations without authentication."""
    for path in ("/livez", "/readyz", "/healthz", "/metrics", "/docs", "/openapi.json"):
        answer = responses.record("GET", path, api.request("GET", path, headers={}))
    tag = {"If-None-Match": answer.headers["ETag"]}
    responses.record("GET", "/openapi.json", api.request("GET", "/openapi.json", headers=tag))


def call_session(responses: Responses, api: Api) -> None:
    """Sign in and out."""
    body, own = {"token": api.server.token}, {"Origin": api.server.url}
    signed_in = responses.record("POST", "/session", api.request("POST", "/session", body, own))
    cookie = {"Cookie": signed_in.headers["Set-Cookie"].partition(";")[0]}
    responses.record("GET", "/session", api.request("GET", "/session", headers=cookie))
    responses.record("POST", "/session", api.request("POST", "/session", {"token": "wrong"}, own))
    responses.record("POST", "/session", api.request("POST", "/session", body, FOREIGN))
    for method, path in (
        ("POST", "/stores"),
        ("DELETE", "/stores/{store_id}"),
        ("POST", "/stores/{store_id}/retry"),
        ("POST", "/stores/{store_id}/verify"),
        ("POST", "/stores/{store_id}/credentials"),
    ):
        url = path.format(store_id="shop-1")
        responses.record(method, path, api.request(method, url, headers={**cookie, **FOREIGN}))
    responses.record("DELETE", "/session", api.request("DELETE", "/session", headers={**cookie, **FOREIGN}))
    responses.record("DELETE", "/session", api.request("DELETE", "/session", headers={**cookie, **own}))


def call_stores(responses: Responses, api: Api, kubectl: Kubectl) -> None:
    """The life of a store, with refusals; four creations are granted."""
    one, events, retry = "/stores/{store_id}", "/stores/{store_id}/events", "/stores/{store_id}/retry"

    def post(store_id: str, engine: str = "medusa", **headers: str) -> Answer:
        return responses.record("POST", "/stores", api.create(store_id, engine, **headers))

    assert post("shop-1", Idempotency_Key="first").status == 202
    wait_for(lambda: api.server.store("shop-1"), "the store to be shown")
    assert post("shop-1").status == 200
    call_shop(responses, api, kubectl)
    assert post("shop-1", "woocommerce").problem == "conflict"
    assert post("shop-9", Idempotency_Key="first").problem == "key-reused"
    for path, url in (("/stores", "/stores"), (one, "/stores/shop-1"), (events, "/stores/shop-1/events")):
        answer = responses.record("GET", path, api.request("GET", url))
        tag = {**api.token, "If-None-Match": answer.headers["ETag"]}
        responses.record("GET", path, api.request("GET", url, headers=tag))
        responses.record("GET", path, api.request("GET", f"{url}?colour=green"))
        if path != "/stores":
            responses.record("GET", path, api.request("GET", url.replace("shop-1", "shop-404")))
    responses.record("GET", "/stores", api.request("GET", "/stores?continue=nonsense"))
    responses.record("POST", retry, api.request("POST", "/stores/shop-1/retry"))
    responses.record("POST", retry, api.request("POST", f"/stores/shop-1/retry?uid={OTHER_UID}"))
    responses.record("POST", retry, api.request("POST", "/stores/shop-404/retry"))
    responses.record("POST", retry, api.request("POST", "/stores/shop-1/retry?force=1"))
    post("shop-2")
    assert post("shop-3").problem == "quota-exceeded"
    responses.record("DELETE", one, api.request("DELETE", f"/stores/shop-1?uid={OTHER_UID}"))
    responses.record("DELETE", one, api.request("DELETE", "/stores/shop-1?force=1"))
    responses.record("DELETE", one, api.request("DELETE", "/stores/shop-1"))
    responses.record("DELETE", one, api.request("DELETE", "/stores/shop-404"))
    delete_store(kubectl, api.server, "shop-1")
    assert post("shop-3").status == 202
    delete_store(kubectl, api.server, "shop-2")
    assert post("shop-4").status == 202
    delete_store(kubectl, api.server, "shop-4")
    assert post("shop-5").problem == "too-many-requests"


def call_shop(responses: Responses, api: Api, kubectl: Kubectl) -> None:
    """Verification and the admin account, before and after the account exists."""
    verify, credentials = "/stores/{store_id}/verify", "/stores/{store_id}/credentials"
    for store_id in ("shop-1", "shop-404"):
        for path in (verify, credentials):
            responses.record("POST", path, api.request("POST", path.format(store_id=store_id)))
    home = namespace_name("shop-1")
    meta = {"name": "store-admin", "namespace": home, "labels": store_labels("shop-1")}
    account = {"username": "admin", "password": "pass"}
    kubectl.run("create", "namespace", home)
    kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": account})
    responses.record("POST", credentials, api.request("POST", "/stores/shop-1/credentials"))
    kubectl.run("delete", "namespace", home, "--wait=false")


def call_with_invalid_bodies(responses: Responses, api: Api) -> None:
    """Invalid bodies."""
    json_type = {"Content-Type": "application/json"}
    own = {"Origin": api.server.url}
    credentials = "/stores/{store_id}/credentials"
    for path, who in (("/stores", api.token), ("/session", own), (credentials, api.token)):
        for body, headers in (
            (b"{", json_type),
            (b'{"engine": 7, "token": 7}', json_type),
            (b"engine=medusa", {"Content-Type": "application/x-www-form-urlencoded"}),
            (b" " * 65537, json_type),
        ):
            responses.record(
                "POST", path, api.request("POST", path.format(store_id="shop-3"), body, {**who, **headers})
            )


def call_unauthenticated(responses: Responses, api: Api) -> None:
    """Operations that need authentication, without a token."""
    for method, path, _ in guarded(responses):
        responses.record(method, path, api.request(method, path.format(store_id="shop-1"), headers={}))


def call_during_cluster_errors(responses: Responses, api: Api, proxy: ApiProxy) -> None:
    """The API server is unreachable, and refuses."""
    calls = (
        ("DELETE", "/stores/{store_id}", "/stores/shop-3"),
        ("POST", "/stores/{store_id}/retry", "/stores/shop-3/retry"),
    )
    refusal = b'{"kind": "Status", "message": "not allowed", "reason": "Forbidden"}'
    with proxy.answering(403, refusal, only=lambda call: of("leases", "get", "update")(call) or store_write(call)):
        for method, path, url in calls:
            responses.record(method, path, api.request(method, url))
        wait_for(
            lambda: responses.record("POST", "/stores", api.create("shop-6")).problem == "cluster-refused", "a refusal"
        )
    with proxy.cutting(only=lambda call: call.plural in ("stores", "leases")):
        for method, path, url in calls:
            responses.record(method, path, api.request(method, url))
        responses.record("POST", "/stores", api.create("shop-6"))
        assert responses.record("GET", "/stores", api.request("GET", "/stores")).status == 200


def store_write(call: Any) -> bool:
    """Match calls that change a store."""
    return of("stores", "create", "patch", "delete")(call)


def call_with_full_ledger(responses: Responses, api: Api, kubectl: Kubectl) -> None:
    """More stores are requested at once than the ledger can hold."""
    lease = kubectl.get("lease", "urumi-admission", api.server.namespace)
    at = time.time()
    grants = [{"mark": str(n), "store": "x", "user": "u", "ip": "", "at": at} for n in range(1000)]
    lease["metadata"]["annotations"]["stores.urumi.ai/grants"] = str(grants).replace("'", '"')
    kubectl.run("replace", "-f", "-", given=lease)
    wait_for(
        lambda: responses.record("POST", "/stores", api.create("shop-7")).problem == "busy", "the ledger to be full"
    )


class StartingServer(ServerProcess):
    """A server that counts as started as soon as it responds."""

    def _is_ready(self) -> bool:
        try:
            return bool(self.call("GET", "/healthz")[0])
        except OSError:
            return False


def call_during_start(responses: Responses, proxy: ApiProxy, kubectl: Kubectl, folder: Path) -> None:
    """A server whose informers have not synced."""
    with not_answering(proxy), StartingServer(proxy.cluster, kubectl, folder) as server:
        api = Api(server)
        for path in ("/readyz", "/healthz", "/stores", "/stores/{store_id}", "/stores/{store_id}/events"):
            responses.record("GET", path, api.request("GET", path.format(store_id="shop-1")))
        api.close()


@contextmanager
def not_answering(proxy: ApiProxy) -> Iterator[None]:
    """Let the API server return 503 for stores."""
    with proxy.answering(503, only=of("stores")):
        yield


def call_with_rbac(responses: Responses, proxy: ApiProxy, kubectl: Kubectl, folder: Path) -> None:
    """An account without permissions, and a cluster that cannot review tokens."""
    review = of("tokenreviews")
    refusal = b'{"kind": "Status", "message": "not allowed", "reason": "Forbidden"}'
    with idle_server(proxy.cluster, kubectl, folder, URUMI_AUTH_MODE="kubernetes") as server:
        api = Api(server)
        nobody = Account(kubectl, server.namespace, "nobody")
        for method, path, _ in guarded(responses):
            if path != "/session":
                responses.record(
                    method, path, api.request(method, path.format(store_id="shop-1"), headers=nobody.bearer)
                )
        for fault in (proxy.cutting(only=review), proxy.answering(403, refusal, only=review)):
            with fault:
                for method, path, token in [*guarded(responses), ("POST", "/session", secrets.token_hex(8))]:
                    headers = {"Authorization": f"Bearer {token}", "Origin": server.url}
                    body = {"token": token} if (method, path) == ("POST", "/session") else None
                    responses.record(method, path, api.request(method, path.format(store_id="shop-1"), body, headers))
        api.close()


def guarded(responses: Responses) -> list[tuple[str, str, str]]:
    """Return every operation that needs authentication."""
    return [
        (method.upper(), path, secrets.token_hex(8))
        for path, methods in responses.document["paths"].items()
        for method, operation in methods.items()
        if operation["security"]
    ]


def call_defects(responses: Responses) -> None:
    """A defect in every endpoint."""
    broken: Any = Defective()
    table = operations(broken, broken, broken, broken, broken, broken, broken, OPEN)
    authority = SharedToken("token")
    gate = Gate(authority, Sessions(authority, EndedSessions(ApiServer(), ""), seconds=60))
    app = application(table, gate, broken, ServerSettings(), None)  # type: ignore[arg-type]
    with TestClient(app, headers={"Authorization": "Bearer token"}) as client:
        for operation in table:
            response = client.request(operation.method, operation.path.format(store_id="shop-1"))
            responses.record(
                operation.method, operation.path, Answer(response.status_code, response.headers, response.content)
            )


def all_responses(api: Api, proxy: ApiProxy, kubectl: Kubectl, folders: pytest.TempPathFactory) -> Responses:
    """Return the responses to all calls."""
    responses = Responses(api.request("GET", "/openapi.json").json)
    call_public(responses, api)
    call_session(responses, api)
    call_stores(responses, api, kubectl)
    call_with_invalid_bodies(responses, api)
    call_unauthenticated(responses, api)
    call_during_cluster_errors(responses, api, proxy)
    call_with_full_ledger(responses, api, kubectl)
    call_during_start(responses, proxy, kubectl, folders.mktemp("start"))
    call_with_rbac(responses, proxy, kubectl, folders.mktemp("authority"))
    call_defects(responses)
    return responses
