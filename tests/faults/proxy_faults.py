"""The cases of the fault matrix that the proxy can simulate.

The informers use the default timeouts unless a case sets others.
"""

import json

from reconciler.cache.timeouts import InformerTimeouts
from testing.faults.call import later_pages, watches
from tests.faults.fault_run import FaultCase
from tests.faults.rotation import Rotation

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
IS_HTML = {"Content-Type": "text/html"}
IS_TEXT = {"Content-Type": "text/plain"}
IS_JSON = {"Content-Type": "application/json"}
GONE = {"kind": "Status", "status": "Failure", "message": "too old resource version", "reason": "Expired", "code": 410}
GONE_LINE = json.dumps({"type": "ERROR", "object": GONE}).encode() + b"\n"
RETRY_AFTER_SECONDS = 4


def refusal(code: int, reason: str) -> bytes:
    """Return the body of an error response of the API server."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
    return json.dumps({**status, "message": f"configmaps is {reason.lower()}"}).encode()


def doubled_and_late(before: list[bytes], line: bytes) -> list[bytes]:
    """Send each line twice, followed by the line of four lines ago."""
    return [line, line, *before[-4:-3]]


def truncated(before: list[bytes], line: bytes) -> list[bytes]:
    """Send the first half of each line as a whole line."""
    return [line[: len(line) // 2] + b"\n"]


def overlong(before: list[bytes], line: bytes) -> list[bytes]:
    """Send a line that is longer than any object can be."""
    return [line[:-2] + b" " * 6_000_000 + line[-2:]]


CASES = [
    FaultCase("a black hole that ends", lambda proxy: proxy.black_hole()),
    FaultCase(
        "a black hole that leaves every stream dead",
        lambda proxy: proxy.black_hole(lasting=True),
        stands_for="silence",
    ),
    FaultCase(
        "a black hole that is met while connecting",
        lambda proxy: proxy.black_hole(lasting=True),
        seconds=40,
        timeouts=InformerTimeouts(silence_seconds=6),
    ),
    FaultCase("resets after a second", lambda proxy: proxy.cutting(after_seconds=1.0)),
    FaultCase("no server at all", lambda proxy: proxy.cutting(), stands_for="unreachable"),
    FaultCase("no server at the start", lambda proxy: proxy.cutting(), begins_with_it=True),
    FaultCase("a flood of clean ends", lambda proxy: proxy.ending()),
    FaultCase("a clean end after each event", lambda proxy: proxy.ending(after_lines=1)),
    FaultCase(
        "429 with Retry-After", lambda proxy: proxy.answering(429, headers={"Retry-After": f"{RETRY_AFTER_SECONDS}"})
    ),
    FaultCase("429 with nothing", lambda proxy: proxy.answering(429), stands_for="overload"),
    FaultCase("500 in plain text", lambda proxy: proxy.answering(500, b"oops\n", headers=IS_TEXT)),
    FaultCase("502 in HTML", lambda proxy: proxy.answering(502, HTML, headers=IS_HTML)),
    FaultCase("200 in HTML", lambda proxy: proxy.answering(200, HTML, headers=IS_HTML), stands_for="foreign response"),
    FaultCase("200 with an empty object", lambda proxy: proxy.answering(200, b"{}\n", headers=IS_JSON)),
    FaultCase(
        "410 in the stream",
        lambda proxy: proxy.answering(200, GONE_LINE, headers=IS_JSON, only=watches),
        stands_for="expired version",
    ),
    FaultCase("410 on the watch", lambda proxy: proxy.answering(410, refusal(410, "Expired"), only=watches)),
    FaultCase(
        "410 on a list that goes on",
        lambda proxy: proxy.answering(410, refusal(410, "Expired"), only=later_pages),
        timeouts=InformerTimeouts(page_size=5),
        begins_with_it=True,
    ),
    FaultCase("events twice and late", lambda proxy: proxy.rewriting(doubled_and_late), stands_for="repetition"),
    FaultCase("torn lines", lambda proxy: proxy.rewriting(truncated), stands_for="corruption"),
    FaultCase("lines without end", lambda proxy: proxy.rewriting(overlong)),
    FaultCase(
        "403",
        lambda proxy: proxy.answering(403, refusal(403, "Forbidden"), headers=IS_JSON),
        stands_for="authorization",
    ),
    FaultCase("404", lambda proxy: proxy.answering(404, b"404 page not found\n", headers=IS_TEXT)),
    FaultCase("slow answers", lambda proxy: proxy.delaying(3.0)),
]
BY_NAME = {case.name: case for case in (*CASES, Rotation(in_time=False).case(), Rotation(in_time=True).case())}
