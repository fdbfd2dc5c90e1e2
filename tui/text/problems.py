"""Failed calls as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urumi.errors import ApiError, UrumiError

if TYPE_CHECKING:
    from collections.abc import Iterator


def problem_lines(error: Exception) -> Iterator[str]:
    """Return what failed, the fields it names, the hint, and the request id for the server's log, a line each."""
    if not isinstance(error, UrumiError):
        yield f"Internal error of the dashboard: {type(error).__name__}: {error}"
        return
    problem = error.problem if isinstance(error, ApiError) else {}
    yield error.message
    errors = problem.get("errors")
    for each in errors if isinstance(errors, list) else ():
        if isinstance(each, dict) and each.get("message"):
            yield f"{str(each.get('pointer', '')).lstrip('/')}: {each['message']}"
    if error.hint:
        yield error.hint
    if problem.get("instance"):
        yield f"Request {problem['instance']}"
