"""Entries of lists and lines of watches: what follows the API is parsed, anything else is an error with status 200."""

import json
from typing import Any

import pytest

from reconciler.cache.watch_events import Expired, check_listed, end_of, event_of, number
from urumi.errors import ClusterError

META = {"name": "a", "uid": "1", "resourceVersion": "7"}


def line(kind: str, item: Any) -> bytes:
    """Return a line of a watch."""
    return json.dumps({"type": kind, "object": item}).encode()


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
def test_an_event_is_its_type_and_its_object(kind: str) -> None:
    assert event_of(line(kind, {"metadata": META})) == (kind, {"metadata": META})


def test_a_bookmark_has_only_a_version() -> None:
    assert event_of(line("BOOKMARK", {"metadata": {"resourceVersion": "7"}}))[0] == "BOOKMARK"


@pytest.mark.parametrize(
    "text",
    [
        b"<html>",
        b"[]",
        b"{}",
        b"\xff",
        line("UNKNOWN", {"metadata": META}),
        line("ADDED", {}),
        line("ADDED", None),
        line("ADDED", {"metadata": {**META, "name": ""}}),
        line("ADDED", {"metadata": {**META, "resourceVersion": "x"}}),
        line("ADDED", {"metadata": {**META, "labels": ["a"]}}),
        line("BOOKMARK", {"metadata": {"resourceVersion": ""}}),
    ],
)
def test_any_other_line_is_an_error(text: bytes) -> None:
    with pytest.raises(ClusterError, match="not an event") as failed:
        event_of(text)
    assert failed.value.status == 200


@pytest.mark.parametrize("code", [410, 504])
def test_an_expired_version_is_reported_as_such(code: int) -> None:
    with pytest.raises(Expired):
        event_of(line("ERROR", {"code": code}))


def test_any_other_error_of_a_stream_keeps_its_code_and_message() -> None:
    with pytest.raises(ClusterError, match="etcd is down") as failed:
        event_of(line("ERROR", {"code": 500, "message": "etcd is down"}))
    assert failed.value.status == 500


@pytest.mark.parametrize("entry", [None, "a", {}, {"metadata": {"name": "a"}}])
def test_an_entry_of_a_list_that_is_not_an_object_is_an_error(entry: Any) -> None:
    check_listed({"metadata": META})
    with pytest.raises(ClusterError, match="not a list of objects"):
        check_listed(entry)


def test_the_end_of_a_page_is_its_version_and_its_continue_token() -> None:
    assert end_of({"metadata": {"resourceVersion": "7"}}) == ("7", "")
    assert end_of({"metadata": {"resourceVersion": "7", "continue": "x"}}) == ("7", "x")


@pytest.mark.parametrize("page", [{}, {"metadata": None}, {"metadata": {}}, {"metadata": {"resourceVersion": "x"}}])
def test_a_page_without_a_version_is_an_error(page: Any) -> None:
    with pytest.raises(ClusterError, match="not a list of objects"):
        end_of(page)


@pytest.mark.parametrize(("version", "value"), [("12", 12), ("", 0), ("x1", 0), ("-1", 0)])
def test_a_version_that_is_not_a_number_counts_as_zero(version: str, value: int) -> None:
    assert number(version) == value
