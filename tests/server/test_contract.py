"""The contract both ways: everything that is documented is provoked, everything that is answered is documented.

    walk --every operation, in every way it can go--> answers --- compared with ---> /openapi.json

The server of the walk has a real API server behind a proxy that fails on request, shows its stores and never works on
them. Only defects are made: a table whose every endpoint has one.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from cluster.local import ClusterInfo
from server.http.problems import PROBLEMS
from server.openapi.operations import operations
from server.openapi.pages import ApiReference
from testing.faults.proxy import ApiProxy
from testing.kubectl import Kubectl, wait_for
from tests.server.api import PROBLEM_JSON, Answer, Api, idle_server
from tests.server.every_response import OPEN, Defective, Walk, whole_walk
from urumi.wire import Problem

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def proxy(local_cluster: ClusterInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProxy]:
    """A way to the API server that fails on request."""
    with ApiProxy(local_cluster, tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def api(proxy: ApiProxy, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with tight limits."""
    limits = {"URUMI_MAX_ACTIVE_STORES": "2", "URUMI_CREATE_RATE_LIMIT": "4", "URUMI_RATE_WINDOW_SECONDS": "3600"}
    with idle_server(proxy.cluster, kubectl, tmp_path_factory.mktemp("walk"), **limits) as server:
        api = Api(server)
        yield api
        api.close()


@pytest.fixture(scope="module")
def walk(api: Api, proxy: ApiProxy, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Every operation, in every way it can go."""
    return whole_walk(api, proxy, kubectl, tmp_path_factory)


def test_the_document_is_valid_openapi(walk: Walk) -> None:
    validate(walk.document)
    assert walk.document["openapi"].startswith("3.1")


def test_everything_that_is_documented_is_answered(walk: Walk) -> None:
    needs_containers = {("POST", "/stores/{store_id}/verify", 200, "")}
    assert sorted(walk.documented - walk.seen - needs_containers) == []


def test_everything_that_is_answered_is_documented(walk: Walk) -> None:
    assert sorted(walk.seen - walk.documented) == []


def test_every_problem_is_met_and_has_its_status(walk: Walk, api: Api) -> None:
    answers = [answer for _, _, answer in walk.answers] + [api.ask("GET", "/odd"), api.ask("PUT", "/stores")]
    met = {(answer.problem, answer.status) for answer in answers if answer.problem}
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


def test_temporary_problems_have_retry_after(walk: Walk) -> None:
    for _, path, answer in walk.answers:
        if answer.status in (429, 503) and answer.problem:
            assert int(answer.headers["Retry-After"]) >= 1, (path, answer)


def test_a_limit_reports_the_allowed_and_the_current_number(walk: Walk) -> None:
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


def test_an_unsupported_method_gets_the_list_of_methods(api: Api) -> None:
    answer = api.ask("PATCH", "/stores/shop-1")
    assert (answer.status, answer.problem) == (405, "method-not-allowed")
    assert {each.strip() for each in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "DELETE"}


@pytest.mark.parametrize(("path", "status", "problem"), [("/ws", 401, "unauthorized"), ("/wss", 404, "not-found")])
def test_a_denied_socket_gets_the_problem(api: Api, path: str, status: int, problem: str) -> None:
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
    manual = ApiReference()
    broken: Any = Defective()
    table = operations(broken, broken, broken, broken, broken, broken, manual, OPEN)
    names = [operation.name for operation in table]
    assert len(set(names)) == len(names)
