"""What every screen of the dashboard shares: its way to the dashboard, and problems in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from urumi.errors import ApiError, UrumiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.dom import DOMNode

    from tui.app import Dashboard


def dashboard_of(node: DOMNode) -> Dashboard:
    """Return the dashboard that a screen or widget belongs to."""
    return cast("Dashboard", node.app)


def problem_words(error: Exception) -> Iterator[str]:
    """Return what went wrong, what to do, and the id that finds it in the server's log, a line each."""
    if not isinstance(error, UrumiError):
        yield f"The dashboard met a defect of its own: {type(error).__name__}: {error}"
        return
    yield error.message
    if isinstance(error, ApiError):
        yield from _field_words(error)
    if error.hint:
        yield error.hint
    if isinstance(error, ApiError) and error.problem.get("instance"):
        yield f"Request {error.problem['instance']}"


def _field_words(error: ApiError) -> Iterator[str]:
    errors = error.problem.get("errors")
    for each in errors if isinstance(errors, list) else ():
        if isinstance(each, dict) and each.get("message"):
            yield f"{str(each.get('pointer', '')).lstrip('/')}: {each['message']}"
