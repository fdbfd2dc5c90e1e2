"""A call of the Kubernetes API as the proxy sees it, and filters for calls."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(eq=False)
class Call:
    """One call: its time (time.monotonic()), its request, and the status of the response, None while it waits.

    `verb` is one of get, list, watch, create, update, patch and delete.
    """

    verb: str
    plural: str
    namespace: str
    name: str
    path: str
    query: Mapping[str, str]
    at: float = field(default_factory=time.monotonic)
    status: int | None = None


Only = Callable[[Call], bool]


def everything(call: Call) -> bool:
    """Match every call."""
    return True


def watches(call: Call) -> bool:
    """Match watches."""
    return call.verb == "watch"


def lists(call: Call) -> bool:
    """Match lists, each page separately."""
    return call.verb == "list"


def later_pages(call: Call) -> bool:
    """Match every page of a list but the first."""
    return lists(call) and "continue" in call.query


def of(plural: str, *verbs: str) -> Only:
    """Match the calls of a kind, optionally of some verbs only."""
    return lambda call: call.plural == plural and (not verbs or call.verb in verbs)


def call_of(method: str, path: str, query: Mapping[str, str]) -> Call:
    """Return the call of a request; paths that name no object have neither kind nor name."""
    plural, namespace, name = _place(path)
    verb = VERBS.get(method, "get")
    if verb == "get" and plural and not name:
        verb = "watch" if query.get("watch") in ("1", "true") else "list"
    return Call(verb, plural, namespace, name, path, dict(query))


def _place(path: str) -> tuple[str, str, str]:
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:] if parts[0] == "apis" else []
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    return (rest[0] if rest else ""), namespace, (rest[1] if len(rest) > 1 else "")
