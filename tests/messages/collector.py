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
# Positional index of the message by the name of what is called: a problem and an event name their kind first.
AFTER_KIND = frozenset({ProblemError.__name__, "event", "event_once"})


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
    constants = _constants(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name not in kinds or not node.args:
            continue
        kind, rest = name, node.args
        if name in AFTER_KIND:
            if len(rest) < 2:
                continue
            kind, rest = _template(rest[0], constants) or name, rest[1:]
        hint = next((keyword.value for keyword in node.keywords if keyword.arg == "hint"), None)
        text = _template(rest[0], constants)
        yield Message(str(path.relative_to(ROOT)), kind, text, _template(hint, constants) if hint else "")


def _constants(tree: ast.Module) -> dict[str, str]:
    """Return the module's names, and its functions' local ones, that stand for a text."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _template(node.value, {})
            if text.strip("{…}"):
                found[node.targets[0].id] = text
    return found


def _template(node: ast.expr, constants: dict[str, str]) -> str:
    """Return a text as a template, empty where it holds no words."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_part(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _template(left, constants) + _template(right, constants)
        case ast.IfExp(body=body, orelse=other):
            return " / ".join(filter(None, (_template(body, constants), _template(other, constants))))
        case ast.Name(id=name):
            return constants.get(name, "")
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
