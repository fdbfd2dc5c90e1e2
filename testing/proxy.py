"""A company's HTTP proxy on loopback that records every request and refuses all of them.

It answers 502 to every request, also to CONNECT, so a program that uses it fails.
"""

import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOOPBACK = "127.0.0.1,localhost,.localhost,::1"


def exempt_loopback(environ: MutableMapping[str, str]) -> None:
    """Let the tests' own clients reach the servers of the tests on a machine that sets a proxy and no NO_PROXY."""
    listed = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    if LOOPBACK not in listed:
        environ["NO_PROXY"] = environ["no_proxy"] = ",".join(filter(None, (listed, LOOPBACK)))


class RefusingProxy:
    """The proxy's URL, and the first line of each request so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[str] = []

    @property
    def variables(self) -> dict[str, str]:
        """An environment that sets it for everything, in both cases, without an exception."""
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        cases = [case for name in names for case in (name, name.lower())]
        return dict.fromkeys(cases, self.url) | {"NO_PROXY": "", "no_proxy": ""}


@contextmanager
def refusing_proxy() -> Iterator[RefusingProxy]:
    """Run the proxy inside the block."""

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            self.close_connection = True
            if self.raw_requestline and self.parse_request():
                proxy.requests.append(self.requestline)
                self.send_error(502, "this proxy reaches nothing")

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        proxy = RefusingProxy(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
