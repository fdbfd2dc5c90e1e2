"""The walk through the API: every operation, in every way it can go, and what was answered and documented.

Everything is real: the API server stands behind a proxy that fails on request, one server shows its stores and never
works on them, one asks the cluster who may call, one has just started. Only defects are made.
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
from server.auth.identity import Gate
from server.openapi.operations import operations
from server.settings import ServerSettings
from testing.accounts import Account
from testing.faults.call import of
from testing.faults.proxy import ApiProxy
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from tests.server.api import PROBLEM_JSON, URN, Answer, Api, idle_server, let_go
from urumi.store import namespace_name, store_labels

OPEN = frozenset({"health", "metrics"})
OTHER_UID = "00000000-0000-0000-0000-000000000000"
FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

# Method, path of the document, status, and the problem's name or nothing.
Seen = tuple[str, str, int, str]


@dataclass
class Walk:
    """Everything that was answered, by operation."""

    document: Any
    answers: list[tuple[str, str, Answer]] = field(default_factory=list)

    def note(self, method: str, path: str, answer: Answer) -> Answer:
        """Keep an answer to a call of the document's path."""
        self.answers.append((method, path, answer))
        return answer

    @property
    def seen(self) -> set[Seen]:
        """Return what was answered."""
        return {(method, path, answer.status, answer.problem) for method, path, answer in self.answers}

    @property
    def documented(self) -> set[Seen]:
        """Return what may be answered."""
        return {
            (method.upper(), path, int(status), name)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
            for status, response in operation["responses"].items()
            for name in names_in(response.get("content", {}))
        }


def names_in(content: Any) -> list[str]:
    """Return the names of the problems of a response, an empty one for an answer that is none."""
    problems = content.get(PROBLEM_JSON)
    names = problems["schema"]["allOf"][1]["properties"]["type"]["enum"] if problems else []
    has_answer = any(kind != PROBLEM_JSON for kind in content) or not content
    return [name.removeprefix(URN) for name in names] + [""] * has_answer


class Defective:
    """Endpoints of which each has a defect."""

    def __getattr__(self, name: str) -> Any:
        async def endpoint(request: Request) -> Response:
            raise ZeroDivisionError("a secret is in this sentence")

        return endpoint


def walk_manual(walk: Walk, api: Api) -> None:
    """What needs no identity."""
    for path in ("/livez", "/readyz", "/healthz", "/metrics", "/docs", "/openapi.json"):
        answer = walk.note("GET", path, api.ask("GET", path, headers={}))
    tag = {"If-None-Match": answer.headers["ETag"]}
    walk.note("GET", "/openapi.json", api.ask("GET", "/openapi.json", headers=tag))


def walk_session(walk: Walk, api: Api) -> None:
    """Sign in and out."""
    body, own = {"token": api.server.token}, {"Origin": api.server.url}
    signed_in = walk.note("POST", "/session", api.ask("POST", "/session", body, own))
    cookie = {"Cookie": signed_in.headers["Set-Cookie"].partition(";")[0]}
    walk.note("GET", "/session", api.ask("GET", "/session", headers=cookie))
    walk.note("POST", "/session", api.ask("POST", "/session", {"token": "wrong"}, own))
    walk.note("POST", "/session", api.ask("POST", "/session", body, FOREIGN))
    for method, path in (
        ("POST", "/stores"),
        ("DELETE", "/stores/{store_id}"),
        ("POST", "/stores/{store_id}/retry"),
        ("POST", "/stores/{store_id}/verify"),
        ("POST", "/stores/{store_id}/credentials"),
    ):
        url = path.format(store_id="shop-1")
        walk.note(method, path, api.ask(method, url, headers={**cookie, **FOREIGN}))
    walk.note("DELETE", "/session", api.ask("DELETE", "/session", headers={**cookie, **FOREIGN}))
    walk.note("DELETE", "/session", api.ask("DELETE", "/session", headers={**cookie, **own}))


def walk_stores(walk: Walk, api: Api, kubectl: Kubectl) -> None:
    """A store's life and what is refused in it; four creations are granted."""
    one, events, retry = "/stores/{store_id}", "/stores/{store_id}/events", "/stores/{store_id}/retry"

    def post(store_id: str, engine: str = "medusa", **headers: str) -> Answer:
        return walk.note("POST", "/stores", api.create(store_id, engine, **headers))

    assert post("shop-1", Idempotency_Key="first").status == 202
    wait_for(lambda: api.server.store("shop-1"), "the store to be shown")
    assert post("shop-1").status == 200
    walk_shop(walk, api, kubectl)
    assert post("shop-1", "woocommerce").problem == "conflict"
    assert post("shop-9", Idempotency_Key="first").problem == "key-reused"
    for path, url in (("/stores", "/stores"), (one, "/stores/shop-1"), (events, "/stores/shop-1/events")):
        answer = walk.note("GET", path, api.ask("GET", url))
        tag = {**api.token, "If-None-Match": answer.headers["ETag"]}
        walk.note("GET", path, api.ask("GET", url, headers=tag))
        walk.note("GET", path, api.ask("GET", f"{url}?colour=green"))
        if path != "/stores":
            walk.note("GET", path, api.ask("GET", url.replace("shop-1", "shop-404")))
    walk.note("GET", "/stores", api.ask("GET", "/stores?continue=nonsense"))
    walk.note("POST", retry, api.ask("POST", "/stores/shop-1/retry"))
    walk.note("POST", retry, api.ask("POST", f"/stores/shop-1/retry?uid={OTHER_UID}"))
    walk.note("POST", retry, api.ask("POST", "/stores/shop-404/retry"))
    walk.note("POST", retry, api.ask("POST", "/stores/shop-1/retry?force=1"))
    post("shop-2")
    assert post("shop-3").problem == "quota-exceeded"
    walk.note("DELETE", one, api.ask("DELETE", f"/stores/shop-1?uid={OTHER_UID}"))
    walk.note("DELETE", one, api.ask("DELETE", "/stores/shop-1?force=1"))
    walk.note("DELETE", one, api.ask("DELETE", "/stores/shop-1"))
    walk.note("DELETE", one, api.ask("DELETE", "/stores/shop-404"))
    let_go(kubectl, api.server, "shop-1")
    assert post("shop-3").status == 202
    let_go(kubectl, api.server, "shop-2")
    assert post("shop-4").status == 202
    let_go(kubectl, api.server, "shop-4")
    assert post("shop-5").problem == "too-many-requests"


def walk_shop(walk: Walk, api: Api, kubectl: Kubectl) -> None:
    """The shop itself: an order, and its admin account before and after there is one."""
    verify, credentials = "/stores/{store_id}/verify", "/stores/{store_id}/credentials"
    for store_id in ("shop-1", "shop-404"):
        for path in (verify, credentials):
            walk.note("POST", path, api.ask("POST", path.format(store_id=store_id)))
    home = namespace_name("shop-1")
    meta = {"name": "store-admin", "namespace": home, "labels": store_labels("shop-1")}
    account = {"username": "admin", "password": "pass"}
    kubectl.run("create", "namespace", home)
    kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": account})
    walk.note("POST", credentials, api.ask("POST", "/stores/shop-1/credentials"))
    kubectl.run("delete", "namespace", home, "--wait=false")


def walk_bodies(walk: Walk, api: Api) -> None:
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
            walk.note("POST", path, api.ask("POST", path.format(store_id="shop-3"), body, {**who, **headers}))


def walk_strangers(walk: Walk, api: Api) -> None:
    """Everything that needs identity, without any."""
    for method, path, _ in guarded(walk):
        walk.note(method, path, api.ask(method, path.format(store_id="shop-1"), headers={}))


def walk_cluster_trouble(walk: Walk, api: Api, proxy: ApiProxy) -> None:
    """The API server is away, and refuses."""
    calls = (
        ("DELETE", "/stores/{store_id}", "/stores/shop-3"),
        ("POST", "/stores/{store_id}/retry", "/stores/shop-3/retry"),
    )
    refusal = b'{"kind": "Status", "message": "not allowed", "reason": "Forbidden"}'
    with proxy.answering(403, refusal, only=lambda call: of("leases", "get", "update")(call) or store_write(call)):
        for method, path, url in calls:
            walk.note(method, path, api.ask(method, url))
        wait_for(lambda: walk.note("POST", "/stores", api.create("shop-6")).problem == "cluster-refused", "a refusal")
    with proxy.cutting(only=lambda call: call.plural in ("stores", "leases")):
        for method, path, url in calls:
            walk.note(method, path, api.ask(method, url))
        walk.note("POST", "/stores", api.create("shop-6"))
        assert walk.note("GET", "/stores", api.ask("GET", "/stores")).status == 200


def store_write(call: Any) -> bool:
    """Pick what changes a store."""
    return of("stores", "create", "patch", "delete")(call)


def walk_full_ledger(walk: Walk, api: Api, kubectl: Kubectl) -> None:
    """More stores are requested at once than the ledger can hold."""
    lease = kubectl.get("lease", "urumi-admission", api.server.namespace)
    at = time.time()
    grants = [{"mark": str(n), "store": "x", "user": "u", "ip": "", "at": at} for n in range(1000)]
    lease["metadata"]["annotations"]["stores.urumi.ai/grants"] = str(grants).replace("'", '"')
    kubectl.run("replace", "-f", "-", given=lease)
    wait_for(lambda: walk.note("POST", "/stores", api.create("shop-7")).problem == "busy", "the ledger to be full")


class StartingServer(ServerProcess):
    """A server that counts as started as soon as it answers."""

    def _is_ready(self) -> bool:
        try:
            return bool(self.call("GET", "/healthz")[0])
        except OSError:
            return False


def walk_start(walk: Walk, proxy: ApiProxy, kubectl: Kubectl, folder: Path) -> None:
    """A server that has not seen the cluster yet."""
    with not_answering(proxy), StartingServer(proxy.cluster, kubectl, folder) as server:
        api = Api(server)
        for path in ("/readyz", "/healthz", "/stores", "/stores/{store_id}", "/stores/{store_id}/events"):
            walk.note("GET", path, api.ask("GET", path.format(store_id="shop-1")))
        api.close()


@contextmanager
def not_answering(proxy: ApiProxy) -> Iterator[None]:
    """Let the API server answer requests for stores with 503."""
    with proxy.answering(503, only=of("stores")):
        yield


def walk_authority(walk: Walk, proxy: ApiProxy, kubectl: Kubectl, folder: Path) -> None:
    """An account without rights, and a cluster that cannot review tokens."""
    review = of("tokenreviews")
    refusal = b'{"kind": "Status", "message": "not allowed", "reason": "Forbidden"}'
    with idle_server(proxy.cluster, kubectl, folder, URUMI_AUTH_MODE="kubernetes") as server:
        api = Api(server)
        nobody = Account(kubectl, server.namespace, "nobody")
        for method, path, _ in guarded(walk):
            if path != "/session":
                walk.note(method, path, api.ask(method, path.format(store_id="shop-1"), headers=nobody.bearer))
        for fault in (proxy.cutting(only=review), proxy.answering(403, refusal, only=review)):
            with fault:
                for method, path, token in [*guarded(walk), ("POST", "/session", secrets.token_hex(8))]:
                    headers = {"Authorization": f"Bearer {token}", "Origin": server.url}
                    body = {"token": token} if (method, path) == ("POST", "/session") else None
                    walk.note(method, path, api.ask(method, path.format(store_id="shop-1"), body, headers))
        api.close()


def guarded(walk: Walk) -> list[tuple[str, str, str]]:
    """Return every operation that needs identity, each with an unknown token."""
    return [
        (method.upper(), path, secrets.token_hex(8))
        for path, methods in walk.document["paths"].items()
        for method, operation in methods.items()
        if operation["security"]
    ]


def walk_defects(walk: Walk) -> None:
    """A defect in every endpoint."""
    broken: Any = Defective()
    table = operations(broken, broken, broken, broken, broken, broken, broken, OPEN)
    app = application(table, Gate(SharedToken("token", 60)), broken, ServerSettings(), None)  # type: ignore[arg-type]
    with TestClient(app, headers={"Authorization": "Bearer token"}) as client:
        for operation in table:
            response = client.request(operation.method, operation.path.format(store_id="shop-1"))
            walk.note(
                operation.method, operation.path, Answer(response.status_code, response.headers, response.content)
            )


def whole_walk(api: Api, proxy: ApiProxy, kubectl: Kubectl, folders: pytest.TempPathFactory) -> Walk:
    """Return everything that is answered to everything."""
    walk = Walk(api.ask("GET", "/openapi.json").json)
    walk_manual(walk, api)
    walk_session(walk, api)
    walk_stores(walk, api, kubectl)
    walk_bodies(walk, api)
    walk_strangers(walk, api)
    walk_cluster_trouble(walk, api, proxy)
    walk_full_ledger(walk, api, kubectl)
    walk_start(walk, proxy, kubectl, folders.mktemp("start"))
    walk_authority(walk, proxy, kubectl, folders.mktemp("authority"))
    walk_defects(walk)
    return walk
