"""The wait for the page through the node's port."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cluster.errors import KindError
from cluster.kind.page import wait_for_page
from cluster.ports import free_port


class Page(HTTPServer):
    """Answers 502, as an ingress controller without a pod behind it, until it has been asked often enough."""

    def __init__(self, ready_at: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.ready_at = ready_at
        self.hosts: list[str] = []


class Answer(BaseHTTPRequestHandler):
    """One answer of the page."""

    def do_GET(self) -> None:
        """Answer 200 when it is time."""
        assert isinstance(self.server, Page)
        self.server.hosts.append(self.headers["Host"])
        is_ready = self.path == "/readyz" and len(self.server.hosts) >= self.server.ready_at
        self.send_response(200 if is_ready else 502)
        self.end_headers()
        self.wfile.write(b"ok" if is_ready else b"Bad Gateway")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page on a port of this machine."""
    with Page(request.param) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("page", [3], indirect=True)
def test_it_waits_until_the_server_behind_the_controller_responds(page: Page) -> None:
    """The first answers are the controller's own."""
    wait_for_page(print, "localhost", page.server_port)
    assert page.hosts == [f"localhost:{page.server_port}"] * 3


@pytest.mark.parametrize("page", [1000], indirect=True)
def test_a_page_that_stays_away_is_an_error_with_the_last_answer(page: Page) -> None:
    """The controller's status is quoted."""
    with pytest.raises(KindError, match=r"is not after 0 s: 502 Bad Gateway") as raised:
        wait_for_page(print, "localhost", page.server_port, seconds=0)
    assert "ingress controller" in raised.value.sentence()


def test_a_port_without_a_listener_is_an_error() -> None:
    """Traefik does not listen yet, or Docker does not forward."""
    with pytest.raises(KindError, match="Connection refused"):
        wait_for_page(print, "localhost", free_port(), seconds=0)
