"""Identity in a cluster, on a real API server: RBAC authorizes every call, and a revoked permission takes effect.

Roles are those of charts/platform; tokens come from TokenRequest. Not covered: other authenticators of a cluster,
such as OIDC, which a TokenReview does not distinguish.
"""

import contextlib
import json
import secrets
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from cluster.local.cluster import ClusterInfo
from testing.accounts import Account, roles_of_the_chart
from testing.faults.call import of
from testing.faults.proxy import ApiProxy
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess
from urumi.wire import SUBPROTOCOL

SUBSCRIBE = json.dumps({"type": "subscribe", "stores": "all"})
UNKNOWN = {"Authorization": "Bearer nobody"}
REVIEWS = of("tokenreviews")


@pytest.fixture(scope="module")
def roles(local_cluster: ClusterInfo, kubectl: Kubectl) -> Iterator[None]:
    """The chart's roles for users."""
    roles = roles_of_the_chart(local_cluster)
    kubectl.apply(roles)
    yield
    kubectl.run("delete", "-f", "-", given=roles)


@pytest.fixture(scope="module")
def proxy(local_cluster: ClusterInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProxy]:
    """The proxy between the server and the API server."""
    with ApiProxy(local_cluster, tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def server(
    proxy: ApiProxy, kubectl: Kubectl, roles: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server that authenticates with the cluster, and caches reviews for a second."""
    with ServerProcess(
        proxy.cluster,
        kubectl,
        tmp_path_factory.mktemp("server"),
        URUMI_AUTH_MODE="kubernetes",
        URUMI_AUTH_CACHE_SECONDS="1",
        URUMI_ANONYMOUS_READS="health",
    ) as server:
        yield server


@pytest.fixture(scope="module")
def viewer(server: ServerProcess, kubectl: Kubectl) -> Account:
    """An account with the viewer role."""
    return Account(kubectl, server.namespace, "viewer", "urumi-viewer")


@pytest.fixture(scope="module")
def operator(server: ServerProcess, kubectl: Kubectl) -> Account:
    """An account with the operator role."""
    return Account(kubectl, server.namespace, "operator", "urumi-operator")


@pytest.fixture(scope="module")
def unprivileged(server: ServerProcess, kubectl: Kubectl) -> Account:
    """An account without a role."""
    return Account(kubectl, server.namespace, "nobody")


@pytest.fixture
def guest(server: ServerProcess, kubectl: Kubectl) -> Account:
    """An account with the viewer role, for one test."""
    return Account(kubectl, server.namespace, f"guest-{secrets.token_hex(3)}", "urumi-viewer")


def status_of(server: ServerProcess, method: str, path: str, account: Account, body: Any = None) -> tuple[int, str]:
    """Return the status of a call and the last part of the problem's type."""
    status, answer = server.call(method, path, body, **account.bearer)
    return status, str((answer or {}).get("type", "")).rpartition(":")[2]


@contextlib.contextmanager
def listen(server: ServerProcess, headers: dict[str, str], origin: str | None = None) -> Iterator[ClientConnection]:
    """Open a live socket and subscribe."""
    with connect(
        server.url.replace("http", "ws") + "/ws",
        additional_headers=headers,
        origin=Origin(origin) if origin else None,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
    ) as socket:
        socket.send(SUBSCRIBE)
        yield socket


def refusal(server: ServerProcess, headers: dict[str, str], origin: str | None = None) -> tuple[int, str]:
    """Return the status and the problem's type with which a live socket is denied."""
    with pytest.raises(InvalidStatus) as denied, listen(server, headers, origin):
        pass
    answer = denied.value.response
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body is not None
    return answer.status_code, json.loads(answer.body)["type"].rpartition(":")[2]


def is_denied(server: ServerProcess, headers: dict[str, str]) -> bool:
    """Return whether a live socket is denied."""
    try:
        with listen(server, headers):
            return False
    except InvalidStatus:
        return True


def end_of(socket: ClientConnection) -> tuple[int, str]:
    """Read until the server closes, and return its code and reason."""
    with pytest.raises(ConnectionClosed) as closed:
        _read_on(socket)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def _read_on(socket: ClientConnection) -> None:
    while True:
        socket.recv(60)


def sign_in(server: ServerProcess, token: str) -> HTTPResponse:
    """Sign in as the page does."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Content-Type": "application/json", "Origin": server.url}
    connection.request("POST", "/session", json.dumps({"token": token}), headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def session_of(server: ServerProcess, token: str) -> dict[str, str]:
    """Sign in and return the header with the cookie."""
    response = sign_in(server, token)
    assert response.status == 204
    return {"Cookie": response.headers["Set-Cookie"].partition(";")[0], "Authorization": ""}


def audit_lines(server: ServerProcess) -> list[dict[str, str]]:
    """Return the audit trail."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["logger"] == "urumi.audit"]


def test_a_viewer_reads_and_changes_nothing(server: ServerProcess, viewer: Account, store_id: str) -> None:
    assert status_of(server, "GET", "/stores", viewer) == (200, "")
    for method, path in [("POST", "/stores"), ("DELETE", "/stores/x-1"), ("POST", "/stores/x-1/retry")]:
        body = {"storeId": store_id, "engine": "woocommerce"} if path == "/stores" else None
        assert status_of(server, method, path, viewer, body) == (403, "not-allowed")
    status, problem = server.call("DELETE", f"/stores/{store_id}", **viewer.bearer)
    assert status == 403
    assert (
        problem["detail"]
        == f"Permission denied: {viewer.user} needs `delete` on stores in namespace {server.namespace}."
    )
    assert "urumi-operator" in problem["hint"]


def test_an_operator_creates_and_deletes_under_its_own_name(
    server: ServerProcess, operator: Account, kubectl: Kubectl, store_id: str
) -> None:
    status, store = server.call("POST", "/stores", {"storeId": store_id, "engine": "woocommerce"}, **operator.bearer)
    assert status == 202
    assert store["requestedBy"]["user"] == operator.user
    assert kubectl.get("store", store_id, server.namespace)["spec"]["requestedBy"]["user"] == operator.user
    assert server.call("DELETE", f"/stores/{store_id}", **operator.bearer)[0] == 202
    wait_for(lambda: status_of(server, "GET", f"/stores/{store_id}", operator)[0] == 404, f"{store_id} to be gone")


def test_an_account_without_a_role_sees_nothing(server: ServerProcess, unprivileged: Account) -> None:
    assert status_of(server, "GET", "/stores", unprivileged) == (403, "not-allowed")
    assert refusal(server, unprivileged.bearer) == (403, "not-allowed")
    assert status_of(server, "GET", "/session", unprivileged) == (200, "")


@pytest.mark.parametrize("headers", [{"Authorization": ""}, UNKNOWN])
def test_an_unknown_token_is_unauthorized(server: ServerProcess, headers: dict[str, str]) -> None:
    for method, path in [("GET", "/stores"), ("POST", "/stores"), ("DELETE", "/stores/x-1"), ("GET", "/metrics")]:
        status, problem = server.call(method, path, None, **headers)
        assert (status, problem["type"]) == (401, "urn:urumi:problem:unauthorized")
        assert "kubectl create token" in problem["hint"]
    assert refusal(server, headers) == (401, "unauthorized")


def test_the_live_protocol_is_open_to_a_viewer(server: ServerProcess, viewer: Account) -> None:
    with listen(server, viewer.bearer) as socket:
        assert json.loads(socket.recv(30))["type"] == "snapshot"


def test_the_page_signs_in_with_a_token_and_then_uses_its_cookie(server: ServerProcess, viewer: Account) -> None:
    assert sign_in(server, "nobody").status == 401
    cookie = session_of(server, viewer.token)
    assert server.call("GET", "/session", **cookie) == (200, {"user": viewer.user})
    with listen(server, cookie, server.url) as socket:
        assert json.loads(socket.recv(30))["type"] == "snapshot"
    assert refusal(server, cookie, "http://elsewhere.example") == (403, "forbidden")
    assert refusal(server, cookie) == (403, "forbidden")


def test_a_revoked_token_is_refused_for_calls_sessions_and_open_sockets(server: ServerProcess, guest: Account) -> None:
    cookie = session_of(server, guest.token)
    with listen(server, guest.bearer) as socket, listen(server, cookie, server.url) as page:
        guest.delete()
        assert end_of(socket)[0] == 4401
        assert end_of(page)[0] == 4401
    wait_for(lambda: status_of(server, "GET", "/stores", guest) == (401, "unauthorized"), "the token to be refused")
    assert server.call("GET", "/stores", **cookie)[0] == 401


def test_a_removed_permission_closes_the_socket_and_a_restored_one_is_accepted(
    server: ServerProcess, guest: Account
) -> None:
    with listen(server, guest.bearer) as socket:
        guest.unbind()
        assert end_of(socket)[0] == 4403
    wait_for(lambda: status_of(server, "GET", "/stores", guest) == (403, "not-allowed"), "the permission to be removed")
    guest.bind("urumi-viewer")
    wait_for(lambda: status_of(server, "GET", "/stores", guest) == (200, ""), "the permission to be restored")


def test_without_the_api_server_new_callers_get_503_and_open_sockets_stay(
    server: ServerProcess, proxy: ApiProxy, viewer: Account
) -> None:
    with listen(server, viewer.bearer) as socket:
        socket.recv(30)
        with (
            proxy.answering(500, b"no", only=of("tokenreviews")),
            proxy.answering(500, only=of("subjectaccessreviews")),
        ):
            wait_for(lambda: status_of(server, "GET", "/stores", viewer) == (503, "cluster-unreachable"), "a 503")
            connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("GET", "/stores", headers=UNKNOWN)
            answer = connection.getresponse()
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) >= 1
            connection.close()
            wait_for(lambda: is_denied(server, viewer.bearer), "the socket to be denied")
            assert refusal(server, viewer.bearer) == (503, "cluster-unreachable")
            # Open sockets stay open; bookmarks state the age of the data.
            while json.loads(socket.recv(30))["type"] != "bookmark":
                pass
        wait_for(
            lambda: status_of(server, "GET", "/stores", viewer) == (200, ""), "the viewer to be authenticated again"
        )


def test_reviews_without_a_response_lead_to_503(server: ServerProcess, proxy: ApiProxy) -> None:
    with proxy.black_hole(only=REVIEWS):
        status, problem = server.call("GET", "/stores", Authorization="Bearer nobody-2")
    assert (status, problem["type"]) == (503, "urn:urumi:problem:cluster-unreachable")


def test_many_calls_with_one_token_need_few_reviews(server: ServerProcess, proxy: ApiProxy, viewer: Account) -> None:
    calls = 60
    before = len(proxy.calls_of(REVIEWS))
    for _ in range(calls):
        assert status_of(server, "GET", "/stores", viewer)[0] == 200
    assert len(proxy.calls_of(REVIEWS)) - before < calls / 2


def test_metrics_need_the_permission_to_list_unless_they_are_anonymous(server: ServerProcess, viewer: Account) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    for path, headers, expected in [
        ("/metrics", {}, 401),
        ("/metrics", viewer.bearer, 200),
        ("/healthz", {}, 200),
        ("/readyz", {}, 200),
        ("/livez", {}, 200),
    ]:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == expected, path
    connection.close()


def test_every_requested_change_is_audited_with_user_and_outcome(
    server: ServerProcess, viewer: Account, operator: Account, store_id: str
) -> None:
    name = {"X-Request-Id": f"audit-{store_id}"}
    server.call("DELETE", f"/stores/{store_id}", **operator.bearer, **name)
    server.call("DELETE", f"/stores/{store_id}", **viewer.bearer, **name)
    server.call("DELETE", f"/stores/{store_id}", **UNKNOWN, **name)
    lines = [line for line in audit_lines(server) if line["request_id"] == name["X-Request-Id"]]
    assert [(line["action"], line["store"], line["user"], line["outcome"]) for line in lines] == [
        ("delete", store_id, operator.user, "absent"),
        ("delete", store_id, viewer.user, "refused: not-allowed"),
        ("delete", store_id, "", "refused: unauthorized"),
    ]
    assert {(line["msg"], line["ip"]) for line in lines} == {("call audited", "127.0.0.1")}


def test_no_token_is_in_the_log(server: ServerProcess, viewer: Account, operator: Account) -> None:
    text = server.log.read_text()
    assert viewer.token not in text
    assert operator.token not in text
