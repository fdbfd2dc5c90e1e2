"""Parses and validates entries of lists and lines of watches; a broken proxy may send anything with status 200.

Whatever does not follow the Kubernetes API becomes a ClusterError with status 200: the call succeeded and its response
is malformed. Versions of one kind may be compared as numbers (KEP-5504).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.kube.resources import labels_of, name_of, namespace_of
from urumi.errors import ClusterError

if TYPE_CHECKING:
    from reconciler.kube.resources import Object

QUOTED_CHARACTERS = 80

Key = tuple[str, str]


class Expired(Exception):
    """Raised when the API server no longer has the version to continue from."""


def key_of(item: Object) -> Key:
    """Return the key of an object: namespace and name."""
    return namespace_of(item), name_of(item)


def version_of(item: Object) -> str:
    """Return an object's resourceVersion."""
    return str(item["metadata"]["resourceVersion"])


def number(version: str) -> int:
    """Return a resourceVersion as a number, 0 if it is not one."""
    return int(version) if version.isdecimal() else 0


def check_listed(item: Object) -> None:
    """Check that an entry of a list is an object.

    Raises:
        ClusterError: it is not; the status is 200.
    """
    try:
        if _is_object(item):
            return
    except (KeyError, TypeError, AttributeError):
        pass
    raise _not_a_list(item)


def end_of(page: Object) -> tuple[str, str]:
    """Return the version of a page of a list and its continue token, empty on the last page.

    Raises:
        ClusterError: the page is not a list; the status is 200.
    """
    try:
        meta = page["metadata"]
        if number(meta["resourceVersion"]):
            return meta["resourceVersion"], meta.get("continue", "")
    except (KeyError, TypeError, AttributeError):
        pass
    raise _not_a_list(page)


def event_of(line: bytes) -> tuple[str, Object]:
    """Return the type and the object of a line of a watch.

    Raises:
        ClusterError: the line is not an event, or an event that reports an error.
        Expired: the API server no longer has the version to continue from.
    """
    try:
        event = json.loads(line)
        kind, item = event["type"], event["object"]
        if kind == "ERROR":
            code = int(item.get("code") or 500)
            # 504 is "too large resource version": the server is behind our version, or was restored from a backup.
            raise Expired if code in (410, 504) else ClusterError(str(item.get("message", "no reason")), status=code)
        if kind in ("ADDED", "MODIFIED", "DELETED") and _is_object(item):
            return kind, item
        if kind == "BOOKMARK" and number(version_of(item)):
            return kind, item
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ClusterError(f"The watch sent a line that is not an event: {line[:QUOTED_CHARACTERS]!r}.", status=200)


def _not_a_list(found: object) -> ClusterError:
    return ClusterError(
        f"The response to a list is not a list of objects: {str(found)[:QUOTED_CHARACTERS]}", status=200
    )


def _is_object(item: Object) -> bool:
    meta = item["metadata"]
    return bool(meta["name"] and meta["uid"] and number(meta["resourceVersion"])) and isinstance(labels_of(item), dict)
