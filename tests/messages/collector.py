"""Collects every message that a person can meet, by reading the source.

A message is the text given to an error class, to a timeline event, or in the table of problems. F-strings are shown as
templates: `{name}` for a plain name, `{…}` for any other expression.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cluster.errors
import urumi.errors
from server.http.problems import PROBLEMS, ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("urumi", "reconciler", "server", "cluster")
# A problem and an event name their kind before the message.
AFTER_KIND = frozenset({ProblemError.__name__, "timeline.add", "timeline.add_once"})


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """One message: the module that reports it, what it is reported as, the template and the hint."""

    module: str
    kind: str
    text: str
    hint: str


def messages() -> list[Message]:
    """Return every message of the packages, in the order of their modules."""
    kinds = {*_error_names(urumi.errors), *_error_names(cluster.errors), *AFTER_KIND}
    found = {message for path in _modules() for message in _messages_in(path, kinds)}
    return sorted(message for message in found if message.text)


def page() -> str:
    """Return docs/messages.md."""
    lines = [
        "# Messages",
        "",
        "Every message that a person can meet, collected from the source so that all of them can be read on one page.",
        "Generated: `.venv/bin/python -m tests.messages`. `{…}` stands for a value.",
        "",
        "## Problems of the API",
        "",
        "| name | status | title |",
        "| --- | --- | --- |",
        *(f"| `{name}` | {status} | {title} |" for name, (status, title) in PROBLEMS.items()),
    ]
    module = ""
    for message in messages():
        if message.module != module:
            module = message.module
            lines += ["", f"## `{module}`", "", "| reported as | message | hint |", "| --- | --- | --- |"]
        lines.append(f"| `{message.kind}` | {_cell(message.text)} | {_cell(message.hint)} |")
    return "\n".join(lines) + "\n"


def _modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def _error_names(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        if isinstance(value, type) and issubclass(value, Exception):
            yield name


def _messages_in(path: Path, kinds: set[str]) -> Iterator[Message]:
    tree = ast.parse(path.read_text())
    module = str(path.relative_to(ROOT))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for scope in [tree, *functions]:
        for call in _own_nodes(scope):
            if not isinstance(call, ast.Call) or not call.args or (name := _called(call.func)) not in kinds:
                continue
            texts = {**_texts(tree, call.lineno), **_texts(scope, call.lineno)}
            kind, arguments = name, call.args
            if name in AFTER_KIND:
                kind, arguments = _template(arguments[0], texts) or name, arguments[1:]
            hint = next((keyword.value for keyword in call.keywords if keyword.arg == "hint"), None)
            for argument in arguments[:1]:
                yield Message(module, kind, _template(argument, texts), _template(hint, texts) if hint else "")


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield what is in a scope, without the functions inside it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own_nodes(child)


def _called(func: ast.expr) -> str:
    """Return the name of what is called; a method of the timeline with the timeline before it."""
    match func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Attribute(attr="timeline") | ast.Name(id="timeline"), attr=name):
            return f"timeline.{name}"
        case ast.Attribute(attr=name):
            return name
    return ""


def _texts(scope: ast.AST, before_line: int) -> dict[str, str]:
    """Return the names of a scope that stand for a text at a line."""
    found: dict[str, str] = {}
    for node in _own_nodes(scope):
        if isinstance(node, ast.Assign) and node.lineno < before_line and isinstance(node.targets[0], ast.Name):
            text = _template(node.value, found)
            if text.strip("{…}"):
                found[node.targets[0].id] = text
    return found


def _template(node: ast.expr, texts: dict[str, str]) -> str:
    """Return a text as a template, empty where it holds no words."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_part(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _template(left, texts) + _template(right, texts)
        case ast.IfExp(body=body, orelse=other):
            return " / ".join(filter(None, (_template(body, texts), _template(other, texts))))
        case ast.Name(id=name):
            return texts.get(name, "")
    return ""


def _part(part: ast.expr) -> str:
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=ast.Name(id=name)):
            return f"{{{name}}}"
    return "{…}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
