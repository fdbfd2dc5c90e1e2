"""The problem table, and every problem text of the server: a sentence, with a hint that begins with a verb."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException

from server.http.problems import PROBLEMS, ProblemError, as_problem
from urumi.errors import ClusterError, ClusterUnreachable, InvalidRequest

SERVER = Path(__file__).resolve().parents[2] / "server"
# Hints begin with what to do.
VERBS = (
    "Ask", "Check", "Choose", "Connect", "Delete", "Follow", "List", "Look", "Reload", "Retry", "Search", "Send",
    "Start", "Try", "Use", "Wait",
)  # fmt: skip

TABLE = """
malformed 400 Malformed JSON
unauthorized 401 Authentication required
forbidden 403 Cross-origin request refused
not-allowed 403 Permission denied
not-found 404 Not found
method-not-allowed 405 Method not allowed
conflict 409 Conflict with the state of the store
quota-exceeded 409 Limit reached
too-large 413 Request body too large
unsupported-media-type 415 Unsupported media type
bad-cursor 422 Invalid cursor
invalid-request 422 Invalid request
key-reused 422 Idempotency-Key already used
too-many-requests 429 Too many requests
internal 500 Internal server error
cluster-refused 502 Kubernetes API refused the request
busy 503 Server busy
cluster-unreachable 503 Kubernetes API unreachable
"""


def problems_in_the_source() -> Iterator[tuple[str, ast.Call]]:
    """Yield each `ProblemError(...)` of the server with its file."""
    for path in sorted(SERVER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ProblemError":
                yield path.name, node


def text_of(node: ast.expr | None) -> str:
    """Return the constant parts of a text, with … for the others."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join(text_of(part) if isinstance(part, ast.Constant) else "…" for part in parts)
        case ast.IfExp(_, body, _):
            return text_of(body)
    return ""


def test_the_table_of_problems() -> None:
    rows = sorted((status, name, title) for name, (status, title) in PROBLEMS.items())

    assert "\n".join(f"{name} {status} {title}" for status, name, title in rows) == TABLE.strip()


def test_every_problem_that_the_server_raises_is_in_the_table() -> None:
    names = {text_of(call.args[0]) for _, call in problems_in_the_source()} - {""}

    assert names <= PROBLEMS.keys()
    assert len(names) > 10


def test_details_and_hints_are_sentences_and_hints_begin_with_what_to_do() -> None:
    wrong = []
    for file, call in problems_in_the_source():
        detail = text_of(call.args[1]) if len(call.args) > 1 else ""
        hint = text_of(next((each.value for each in call.keywords if each.arg == "hint"), None))
        if detail and (not (detail[0] == "…" or detail[0].isupper()) or detail[-1] not in ".…"):
            wrong.append((file, detail))
        # A command at the end has no period.
        if hint and (not hint.startswith(VERBS) or (hint[-1] not in ".…" and ": " not in hint)):
            wrong.append((file, hint))

    assert wrong == []


@pytest.mark.parametrize(
    ("error", "name", "status"),
    [
        (ProblemError("busy", "Full."), "busy", 503),
        (InvalidRequest("must be short", field="storeId"), "invalid-request", 422),
        (ClusterError("no", status=403), "cluster-refused", 502),
        (ClusterError("no", status=401), "cluster-unreachable", 503),
        (ClusterError("no", status=429), "cluster-unreachable", 503),
        (ClusterError("no", status=500), "cluster-unreachable", 503),
        (ClusterUnreachable("no"), "cluster-unreachable", 503),
        (HTTPException(404), "not-found", 404),
        (HTTPException(405, headers={"Allow": "GET"}), "method-not-allowed", 405),
        (HTTPException(418), "internal", 500),
        (ZeroDivisionError("a secret"), "internal", 500),
    ],
)
def test_every_error_has_its_problem(error: Exception, name: str, status: int) -> None:
    problem = as_problem(error)

    assert (problem.name, PROBLEMS[problem.name][0]) == (name, status)
    assert "secret" not in problem.sentence()


def test_an_invalid_field_is_named_by_its_pointer() -> None:
    problem = as_problem(InvalidRequest("storeId must be short", field="storeId"))

    assert [*problem.errors] == [{"pointer": "/storeId", "message": "storeId must be short"}]


def test_an_unreachable_cluster_has_a_retry_after() -> None:
    assert int(as_problem(ClusterUnreachable("away")).headers["Retry-After"]) >= 1
    assert int(as_problem(ClusterError("its own token", status=401)).headers["Retry-After"]) >= 1
