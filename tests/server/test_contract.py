"""The contract both ways: everything that is documented is provoked, everything that is answered is documented.

    walk --every operation, in every way it can go--> answers --- compared with ---> /openapi.json

The server of the walk has a real API server behind a proxy that fails on request, shows its stores and never works on
them. Only defects are made: a table whose every endpoint has one.
"""

import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from cluster.local import ClusterInfo
from server.app import application
from server.authority import OneToken
from server.identity import Gate
from server.manual import Manual
from server.operations import operations
from server.problems import PROBLEMS
from server.settings import ServerSettings
from tests.faults.call import of
from tests.faults.proxy import ApiProxy
from tests.kubectl import Kubectl, wait_for
from tests.serve import ServerProcess
from tests.server.api import PROBLEM_JSON, URN, Answer, Api, idle_server, let_go
from tests.server.people import Person
from urumi.wire import Problem

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.fixture(scope="module")
def proxy(local_cluster: ClusterInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProxy]:
    """A way to the API server that fails on request."""
    with ApiProxy(local_cluster, tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def api(proxy: ApiProxy, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with tight limits."""
    limits = {"MAX_ACTIVE_STORES": "2", "CREATE_RATE_LIMIT": "4", "RATE_WINDOW_SECONDS": "3600"}
    with idle_server(proxy.cluster, kubectl, tmp_path_factory.mktemp("walk"), **limits) as server:
        api = Api(server)
        yield api
        api.close()


@pytest.fixture(scope="module")
def walk(api: Api, proxy: ApiProxy, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Every operation, in every way it can go."""
    walk = Walk(api.ask("GET", "/openapi.json").json)
    walk_manual(walk, api)
    walk_session(walk, api)
    walk_stores(walk, api, kubectl)
    walk_bodies(walk, api)
    walk_strangers(walk, api)
    walk_cluster_trouble(walk, api, proxy)
    walk_full_ledger(walk, api, kubectl)
    walk_start(walk, proxy, kubectl, tmp_path_factory.mktemp("start"))
    walk_authority(walk, proxy, kubectl, tmp_path_factory.mktemp("authority"))
    walk_defects(walk)
    return walk


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
    for method, path in (("POST", "/stores"), ("DELETE", "/stores/{store_id}"), ("POST", "/stores/{store_id}/retry")):
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


def walk_bodies(walk: Walk, api: Api) -> None:
    """Bodies that nobody can use."""
    json_type = {"Content-Type": "application/json"}
    for path, who in (("/stores", api.token), ("/session", {"Origin": api.server.url})):
        for body, headers in (
            (b"{", json_type),
            (b'{"engine": 7, "token": 7}', json_type),
            (b"engine=medusa", {"Content-Type": "application/x-www-form-urlencoded"}),
            (b" " * 65537, json_type),
        ):
            walk.note("POST", path, api.ask("POST", path, body, {**who, **headers}))


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
    """More stores are asked for at once than can be remembered."""
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
    """Have the API server answer 503 to whoever asks for stores."""
    with proxy.answering(503, only=of("stores")):
        yield


def walk_authority(walk: Walk, proxy: ApiProxy, kubectl: Kubectl, folder: Path) -> None:
    """Somebody without rights, and a cluster that does not say who somebody is."""
    review = of("tokenreviews")
    refusal = b'{"kind": "Status", "message": "not allowed", "reason": "Forbidden"}'
    with idle_server(proxy.cluster, kubectl, folder, AUTH_MODE="kubernetes") as server:
        api = Api(server)
        nobody = Person(kubectl, server.namespace, "nobody")
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
    """Return every operation that needs identity, each with a token that nobody has seen."""
    return [
        (method.upper(), path, secrets.token_hex(8))
        for path, methods in walk.document["paths"].items()
        for method, operation in methods.items()
        if operation["security"]
    ]


def walk_defects(walk: Walk) -> None:
    """A defect in every endpoint."""
    broken: Any = Defective()
    table = operations(broken, broken, broken, broken, broken, OPEN)
    app = application(table, Gate(OneToken("token", 60)), broken, ServerSettings(), None)  # type: ignore[arg-type]
    with TestClient(app, headers={"Authorization": "Bearer token"}) as client:
        for operation in table:
            response = client.request(operation.method, operation.path.format(store_id="shop-1"))
            walk.note(
                operation.method, operation.path, Answer(response.status_code, response.headers, response.content)
            )


def test_the_document_is_valid_openapi(walk: Walk) -> None:
    validate(walk.document)
    assert walk.document["openapi"].startswith("3.1")


def test_everything_that_is_documented_is_answered(walk: Walk) -> None:
    assert sorted(walk.documented - walk.seen) == []


def test_everything_that_is_answered_is_documented(walk: Walk) -> None:
    assert sorted(walk.seen - walk.documented) == []


def test_every_problem_is_met_and_has_its_status(walk: Walk, api: Api) -> None:
    walk.note("GET", "/odd", api.ask("GET", "/odd"))
    walk.note("PUT", "/stores", api.ask("PUT", "/stores"))
    met = {(answer.problem, answer.status) for _, _, answer in walk.answers if answer.problem}
    assert met == {(name, status) for name, (status, _) in PROBLEMS.items()}


def test_every_error_has_the_one_shape_and_the_id_of_its_request(walk: Walk) -> None:
    plain = {"/readyz", "/healthz"}
    errors = [(path, answer) for _, path, answer in walk.answers if answer.status >= 400]
    assert len(errors) > 50
    for path, answer in errors:
        if path in plain and not answer.problem:
            continue
        assert answer.headers["content-type"] == PROBLEM_JSON, answer
        problem = Problem.model_validate(answer.json)
        assert problem.status == answer.status
        assert problem.instance == answer.headers["X-Request-Id"]
        assert problem.title == PROBLEMS[answer.problem][1]
        assert len(problem.detail) > 10
        assert "secret" not in problem.detail


def test_what_time_helps_says_when_to_come_back(walk: Walk) -> None:
    for _, path, answer in walk.answers:
        if answer.status in (429, 503) and answer.problem:
            assert int(answer.headers["Retry-After"]) >= 1, (path, answer)


def test_a_limit_says_what_it_allows_and_what_there_is(walk: Walk) -> None:
    limited = ("quota-exceeded", "too-many-requests")
    limits = {answer.problem: answer.json["limit"] for _, _, answer in walk.answers if answer.problem in limited}
    assert limits["quota-exceeded"] == {"name": "MAX_ACTIVE_STORES", "allowed": 2, "current": 2}
    assert limits["too-many-requests"] == {
        "name": "CREATE_RATE_LIMIT", "allowed": 4, "current": 4, "windowSeconds": 3600.0
    }  # fmt: skip


def test_a_refusal_is_in_the_log_by_its_id(walk: Walk, api: Api) -> None:
    answer = api.ask("GET", "/stores/shop-404", headers={**api.token, "X-Request-Id": "find-me.1"})
    assert answer.json["instance"] == "find-me.1"
    wait_for(lambda: '"request_id": "find-me.1"' in api.server.log.read_text(), "the line in the log")


def test_another_method_is_told_which_there_are(api: Api) -> None:
    answer = api.ask("PATCH", "/stores/shop-1")
    assert (answer.status, answer.problem) == (405, "method-not-allowed")
    assert {each.strip() for each in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "DELETE"}


@pytest.mark.parametrize(("path", "status", "problem"), [("/ws", 401, "unauthorized"), ("/wss", 404, "not-found")])
def test_a_denied_socket_is_told_the_problem(api: Api, path: str, status: int, problem: str) -> None:
    url = api.server.url.replace("http", "ws") + path
    with pytest.raises(InvalidStatus) as denied, connect(url):
        pass
    response = denied.value.response
    answer = Answer(response.status_code, response.headers, bytes(response.body or b""))
    assert (answer.status, answer.problem) == (status, problem)
    assert answer.json["instance"] == answer.headers["X-Request-Id"]


def test_a_body_without_an_end_is_refused_before_it_ends(api: Api) -> None:
    address = ("127.0.0.1", api.server.port)
    head = f"POST /stores HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.server.token}\r\n"
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    with socket.create_connection(address, timeout=30) as line:
        line.sendall(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(17):
            line.sendall(chunk)
        # The body goes on for as long as the caller likes; the answer is there.
        assert line.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_the_table_of_errors_in_the_manual_is_the_one_of_the_code() -> None:
    told = (ROOT / "docs" / "api.md").read_text()
    rows = {
        tuple(line.split("|")[1:3])
        for line in told.splitlines()
        if (line.startswith("| `") and "| 4" in line) or "| 5" in line
    }
    assert {(name.strip(" `"), int(status)) for name, status in rows} == {
        (name, status) for name, (status, _) in PROBLEMS.items()
    }


def test_the_page_of_the_document_shows_every_operation_and_needs_no_script(walk: Walk, api: Api) -> None:
    page = api.ask("GET", "/docs", headers={})
    html = page.content.decode()
    for methods in walk.document["paths"].values():
        for operation in methods.values():
            assert f'<article id="{operation["operationId"]}">' in html
    assert not [
        word
        for word in ("<script", "<style", " style=", "http://", "https://", " on")
        if word in html.split("<main")[0]
    ]
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert api.ask("GET", "/static/docs.css", headers={}).status == 200


def test_the_manual_has_one_table_for_both() -> None:
    manual = Manual()
    broken: Any = Defective()
    table = operations(broken, broken, broken, broken, manual, OPEN)
    names = [operation.name for operation in table]
    assert len(set(names)) == len(names)
