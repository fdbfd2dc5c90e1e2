"""Every key of the dashboard, in one place: what it does, what it is called, and its id in the configuration.

The bindings of the screens, the palette, the `:` line, the help and the table in docs/dashboard.md are all made of
this. Keys are comma separated; a person's own keys replace them by id.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from urumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.binding import BindingType


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a key does.

    Attributes:
        id: names it in the configuration, `store.delete`.
        keys: those that it has unless a person gives it others.
        action: what Textual runs.
        label: a word or two for the bar of keys; empty where it is not shown there.
        title: what it does, for help and palette.
        in_palette: whether the palette and the `:` line offer it.
    """

    id: str
    keys: str
    action: str
    label: str
    title: str
    in_palette: bool = True

    @property
    def name(self) -> str:
        """What is typed after `:`."""
        return self.id.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Scope:
    """The commands of one place of the dashboard."""

    title: str
    commands: tuple[Command, ...]

    def bindings(self) -> list[BindingType]:
        """Return the commands as Textual binds them."""
        from textual.binding import Binding  # what is said without a dashboard does without Textual

        return [
            Binding(each.keys, each.action, each.label or each.title, show=bool(each.label), id=each.id)
            for each in self.commands
        ]


STORE = Scope(
    "Acting on a store",
    (
        Command("store.retry", "r", "retry", "retry", "make the next attempt now"),
        Command("store.delete", "delete,ctrl+d", "delete", "delete", "delete it with all its data"),
        Command("store.open", "o", "open_shop", "open", "open its shop in a browser"),
        Command("store.copy", "c", "copy_id", "copy", "copy its id, or those of all marked stores"),
        Command("store.url", "u", "copy_url", "", "copy its address"),
        Command("store.report", "b", "copy_report", "", "copy a report of its error: cause, evidence, timeline"),
        Command("store.admin", "a", "admin", "", "show its admin account, once you have confirmed it"),
    ),
)
LIST = Scope(
    "The list",
    (
        Command("list.new", "n", "new", "new", "ask for a new store"),
        Command("list.details", "d", "details", "details", "show everything about the store"),
        Command("list.filter", "slash", "filter", "filter", "filter: a word, !without, phase:failed, engine:medusa"),
        Command("list.failed", "f", "failed", "failed", "show failed and degraded stores only, or all again"),
        Command("list.clear", "escape", "clear", "", "clear filter and marks", in_palette=False),
        Command("list.leave", "q", "app.quit", "", "leave; stores go on by themselves", in_palette=False),
    ),
)
TABLE = Scope(
    "Moving in the list",
    (
        Command("move.down", "down,j", "down", "", "next store", in_palette=False),
        Command("move.up", "up,k", "up", "", "previous store", in_palette=False),
        Command("move.page-down", "pagedown,ctrl+f", "page_down", "", "a page down", in_palette=False),
        Command("move.page-up", "pageup,ctrl+u", "page_up", "", "a page up", in_palette=False),
        Command("move.first", "home,g", "first", "", "first store", in_palette=False),
        Command("move.last", "end,G", "last", "", "last store", in_palette=False),
        Command("move.open", "enter", "open", "", "show everything about the store", in_palette=False),
        Command("mark.toggle", "space", "mark", "", "mark the store, or take its mark away", in_palette=False),
        Command("mark.all", "asterisk", "mark_all", "", "mark every store that is shown, or none"),
        Command("sort.left", "left", "pick(-1)", "", "pick the column to the left", in_palette=False),
        Command("sort.right", "right", "pick(1)", "", "pick the column to the right", in_palette=False),
        Command("sort.toggle", "s", "sort", "", "sort by the picked column, or turn the order round"),
    ),
)
LINES = Scope(
    "Moving in a timeline or text",
    (
        Command("lines.down", "down,j", "lines(1)", "", "a line down", in_palette=False),
        Command("lines.up", "up,k", "lines(-1)", "", "a line up", in_palette=False),
        Command("lines.page-down", "pagedown,ctrl+f,space", "pages(1)", "", "a page down", in_palette=False),
        Command("lines.page-up", "pageup,ctrl+u", "pages(-1)", "", "a page up", in_palette=False),
        Command("lines.first", "home,g", "first", "", "to the beginning", in_palette=False),
        Command("lines.last", "end,G", "last", "", "to the end, and stay there", in_palette=False),
    ),
)
DETAILS = Scope(
    "One store in full",
    (
        Command("details.yaml", "y", "yaml", "YAML", "show it as YAML, or in words again"),
        Command("details.back", "escape,q", "back", "back", "back to the list", in_palette=False),
    ),
)
APP = Scope(
    "Everywhere",
    (
        Command("app.help", "question_mark,f1", "help", "help", "every key that works here"),
        Command("app.palette", "ctrl+p", "command_palette", "", "find stores and commands by name", in_palette=False),
        Command("app.command", "colon", "command", "", "type a command", in_palette=False),
        Command("app.reconnect", "R", "reconnect", "", "try to reach the server now"),
        Command("app.theme", "T", "toggle_theme", "", "dark or light"),
        Command("app.quit", "ctrl+q,ctrl+c", "quit", "", "leave, from anywhere"),
    ),
)
SCOPES = (LIST, STORE, TABLE, LINES, DETAILS, APP)
# What can be reached at once: in the list, in the timeline beside it, in the details.
PLACES = ((LIST, STORE, TABLE, APP), (LIST, STORE, LINES, APP), (DETAILS, STORE, LINES, APP))


def commands() -> Iterator[Command]:
    """Return all commands there are."""
    for scope in SCOPES:
        yield from scope.commands


def check_keys(keys: Mapping[str, str], where: str) -> None:
    """Refuse keys for what is no command, and keys that two commands of one place would share.

    Raises:
        ConfigError: naming the id and the nearest that there is, or both commands.
    """
    ids = [command.id for command in commands()]
    for unknown in keys.keys() - set(ids):
        near = get_close_matches(unknown, ids, 1, 0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(ids)}."
        raise ConfigError(f"{where}: there is no command {unknown!r} to give a key to.", hint=hint)
    for place in PLACES:
        _check_place(keys, place, where)


def _check_place(keys: Mapping[str, str], place: tuple[Scope, ...], where: str) -> None:
    taken: dict[str, str] = {}
    for command in (command for scope in place for command in scope.commands):
        for key in keys.get(command.id, command.keys).replace(" ", "").split(","):
            other = taken.setdefault(key, command.id)
            if other != command.id:
                raise ConfigError(
                    f"{where}: the key {key!r} belongs to {other} and to {command.id}.",
                    hint="Give one of them another key.",
                )
