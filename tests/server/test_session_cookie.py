"""The session cookie: its name and attributes by the address of the page, and which of many cookies are read."""

import pytest
from starlette.requests import HTTPConnection
from starlette.responses import Response

from server.auth.session_cookie import MAX_CANDIDATES, candidates, cookie_of


def request(host: str, *, scheme: str = "http", prefix: str = "", **headers: str) -> HTTPConnection:
    """Return a request to this host."""
    raw = [(name.encode(), value.encode()) for name, value in {"host": host, **headers}.items()]
    return HTTPConnection({"type": "http", "scheme": scheme, "root_path": prefix, "headers": raw})


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(request("x", scheme="https"), "__Host-urumi_session=v; Path=/; Secure", id="https"),
        pytest.param(request("x:8443", scheme="https"), "__Host-urumi_session=v; Path=/; Secure", id="https-port"),
        pytest.param(
            request("x", scheme="https", prefix="/urumi"),
            "__Secure-urumi_session=v; Path=/urumi/; Secure",
            id="https-below-a-prefix",
        ),
        pytest.param(request("127.0.0.1:8780"), "urumi_session_8780=v; Path=/", id="http"),
        pytest.param(request("[::1]:8780"), "urumi_session_8780=v; Path=/", id="http-version-6"),
        pytest.param(request("x"), "urumi_session_80=v; Path=/", id="http-default-port"),
        pytest.param(request("x", prefix="/urumi"), "urumi_session_80=v; Path=/urumi/", id="http-below-a-prefix"),
        pytest.param(
            request("x", origin="https://x"), "__Host-urumi_session=v; Path=/; Secure", id="https-ends-at-a-stranger"
        ),
    ],
)
def test_the_cookie_is_bound_to_the_address_of_the_page(seen: HTTPConnection, expected: str) -> None:
    response = Response()
    cookie_of(seen).set(response, "v", 60)
    parts = set(response.headers["set-cookie"].split("; "))
    assert parts == {*expected.split("; "), "HttpOnly", "Max-Age=60", "SameSite=strict"}
    cookie_of(seen).clear(response)
    cleared = response.headers.getlist("set-cookie")[1]
    assert ("Secure" in cleared, "Max-Age=0" in cleared) == ("Secure" in expected, True)


def test_every_cookie_of_the_session_is_a_candidate_and_those_that_no_other_host_can_set_are_first() -> None:
    sent = "urumi_session_8780=tossed; other=1; urumi_session_8780=own; __Host-urumi_session=host; urumi_session_80=80"
    assert candidates(request("x:8780", cookie=sent)) == ["host", "tossed", "own"]


def test_a_quoted_cookie_is_read_without_its_quotes() -> None:
    assert candidates(request("x:1", cookie='urumi_session_1="a.b=="')) == ["a.b=="]


def test_many_cookies_cost_a_limited_number_of_reviews() -> None:
    sent = "; ".join(f"urumi_session_1={number}" for number in range(100))
    assert len(candidates(request("x:1", cookie=sent))) == MAX_CANDIDATES
