"""The contract both ways: every documented response is received, every received response is documented.

    every operation with every outcome --> responses --- compared with ---> /openapi.json

The server has a real API server behind a proxy that fails on request, and shows its stores without reconciling them.
Only defects are simulated: a table of endpoints that all have one.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from cluster.local.cluster import ClusterInfo
from server.http.problems import PROBLEMS
from server.openapi.operations import operations
from server.openapi.pages import ApiReference
from testing.faults.proxy import ApiProxy
from testing.kubectl import Kubectl, wait_for
from tests.server.api import PROBLEM_JSON, Answer, Api, idle_server
from tests.server.every_response import OPEN, Defective, Responses, all_responses
from urumi.wire import Problem

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def proxy(local_cluster: ClusterInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProxy]:
    """A proxy to the API server that fails on request."""
    with ApiProxy(local_cluster, tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def api(proxy: ApiProxy, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with tight limits."""
    limits = {"URUMI_MAX_ACTIVE_STORES": "2", "URUMI_CREATE_RATE_LIMIT": "4", "URUMI_RATE_WINDOW_SECONDS": "3600"}
    with idle_server(proxy.cluster, kubectl, tmp_path_factory.mktemp("responses"), **limits) as server:
        api = Api(server)
        yield api
        api.close()


@pytest.fixture(scope="module")
def responses(api: Api, proxy: ApiProxy, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Responses:
    """The responses of every operation with every outcome."""
    return all_responses(api, proxy, kubectl, tmp_path_factory)


def test_the_document_is_valid_openapi(responses: Responses) -> None:
    validate(responses.document)
    assert responses.document["openapi"].startswith("3.1")


def test_every_documented_response_is_received(responses: Responses) -> None:
    needs_containers = {("POST", "/stores/{store_id}/verify", 200, "")}
    assert sorted(responses.documented - responses.seen - needs_containers) == []


def test_every_received_response_is_documented(responses: Responses) -> None:
    assert sorted(responses.seen - responses.documented) == []


def test_every_problem_is_received_with_its_status(responses: Responses, api: Api) -> None:
    answers = [answer for _, _, answer in responses.answers] + [
        api.request("GET", "/odd"),
        api.request("PUT", "/stores"),
    ]
    met = {(answer.problem, answer.status) for answer in answers if answer.problem}
    assert met == {(name, status) for name, (status, _) in PROBLEMS.items()}


def test_every_error_is_a_problem_with_the_id_of_its_request(responses: Responses) -> None:
    plain = {"/readyz", "/healthz"}
    errors = [(path, answer) for _, path, answer in responses.answers if answer.status >= 400]
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


def test_temporary_problems_have_retry_after(responses: Responses) -> None:
    for _, path, answer in responses.answers:
        if answer.status in (429, 503) and answer.problem:
            assert int(answer.headers["Retry-After"]) >= 1, (path, answer)


def test_a_limit_reports_the_allowed_and_the_current_number(responses: Responses) -> None:
    limited = ("quota-exceeded", "too-many-requests")
    limits = {answer.problem: answer.json["limit"] for _, _, answer in responses.answers if answer.problem in limited}
    assert limits["quota-exceeded"] == {"name": "MAX_ACTIVE_STORES", "allowed": 2, "current": 2}
    assert limits["too-many-requests"] == {
        "name": "CREATE_RATE_LIMIT", "allowed": 4, "current": 4, "windowSeconds": 3600.0
    }  # fmt: skip


def test_a_refusal_is_logged_with_its_request_id(responses: Responses, api: Api) -> None:
    answer = api.request("GET", "/stores/shop-404", headers={**api.token, "X-Request-Id": "find-me.1"})
    assert answer.json["instance"] == "find-me.1"
    wait_for(lambda: '"request_id": "find-me.1"' in api.server.log.read_text(), "the line in the log")


def test_an_unsupported_method_gets_the_list_of_methods(api: Api) -> None:
    answer = api.request("PATCH", "/stores/shop-1")
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
        # The body never ends; the response has already arrived.
        assert line.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_the_table_of_errors_in_the_manual_is_the_one_of_the_code() -> None:
    manual = (ROOT / "docs" / "api.md").read_text()
    rows = {
        tuple(line.split("|")[1:3])
        for line in manual.splitlines()
        if (line.startswith("| `") and "| 4" in line) or "| 5" in line
    }
    assert {(name.strip(" `"), int(status)) for name, status in rows} == {
        (name, status) for name, (status, _) in PROBLEMS.items()
    }


def test_the_page_of_the_document_shows_every_operation_and_needs_no_script(responses: Responses, api: Api) -> None:
    page = api.request("GET", "/docs", headers={})
    html = page.content.decode()
    for methods in responses.document["paths"].values():
        for operation in methods.values():
            assert f'<article id="{operation["operationId"]}">' in html
    assert not [
        word
        for word in ("<script", "<style", " style=", "http://", "https://", " on")
        if word in html.split("<main")[0]
    ]
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert api.request("GET", "/static/docs.css", headers={}).status == 200


def test_the_manual_has_one_table_for_both() -> None:
    manual = ApiReference()
    broken: Any = Defective()
    table = operations(broken, broken, broken, broken, broken, broken, manual, OPEN)
    names = [operation.name for operation in table]
    assert len(set(names)) == len(names)
