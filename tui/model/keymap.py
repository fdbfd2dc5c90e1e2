"""Every key of the dashboard: what it does, its label, and its id in the configuration.

The bindings of the screens, the palette, the `:` line, the help and the table in docs/dashboard.md are built from this
list. Keys are comma separated; keys from the configuration replace them by id.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from urumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a key does.

    Attributes:
        id: its name in the configuration, such as `store.delete`.
        keys: its keys unless the configuration gives it others.
        action: the action that Textual runs.
        label: its label in the key bar; empty if it is not shown there.
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
        """The name that is typed after `:`."""
        return self.id.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Scope:
    """The commands of one place in the dashboard."""

    title: str
    commands: tuple[Command, ...]


STORE = Scope(
    "Actions on a store",
    (
        Command("store.retry", "r", "retry", "retry", "retry now"),
        Command("store.delete", "delete,ctrl+d", "delete", "delete", "delete the store with all its data"),
        Command("store.open", "o", "open_shop", "open", "open the shop in a browser"),
        Command("store.copy", "c", "copy_id", "copy", "copy the id, or the ids of all marked stores"),
        Command("store.url", "u", "copy_url", "", "copy the address"),
        Command("store.report", "b", "copy_report", "", "copy an error report: cause, evidence, timeline"),
        Command("store.admin", "a", "admin", "", "show the admin account, after a confirmation"),
    ),
)
LIST = Scope(
    "The list",
    (
        Command("list.new", "n", "new", "new", "create a store"),
        Command("list.details", "d", "details", "details", "show all details of the store"),
        Command("list.filter", "slash", "filter", "filter", "filter: word, !word, phase:failed, engine:medusa"),
        Command("list.failed", "f", "failed", "failed", "show only failed and degraded stores, or all"),
        Command("list.clear", "escape", "clear", "", "clear the filter, then the marks", in_palette=False),
        Command("list.leave", "q", "app.quit", "", "quit; stores keep running", in_palette=False),
    ),
)
TABLE = Scope(
    "Moving in the list",
    (
        Command("move.down", "down,j", "down", "", "next store", in_palette=False),
        Command("move.up", "up,k", "up", "", "previous store", in_palette=False),
        Command("move.page-down", "pagedown,ctrl+f", "page_down", "", "page down", in_palette=False),
        Command("move.page-up", "pageup,ctrl+u", "page_up", "", "page up", in_palette=False),
        Command("move.first", "home,g", "first", "", "first store", in_palette=False),
        Command("move.last", "end,G", "last", "", "last store", in_palette=False),
        Command("move.open", "enter", "open", "", "show all details of the store", in_palette=False),
        Command("mark.toggle", "space", "mark", "", "mark or unmark the store", in_palette=False),
        Command("mark.all", "asterisk", "mark_all", "", "mark all stores shown, or unmark them"),
        Command("sort.left", "left", "pick(-1)", "", "select the column to the left", in_palette=False),
        Command("sort.right", "right", "pick(1)", "", "select the column to the right", in_palette=False),
        Command("sort.toggle", "s", "sort", "", "sort by the selected column, or reverse the order"),
    ),
)
LINES = Scope(
    "Moving in a timeline or a text",
    (
        Command("lines.down", "down,j", "lines(1)", "", "line down", in_palette=False),
        Command("lines.up", "up,k", "lines(-1)", "", "line up", in_palette=False),
        Command("lines.page-down", "pagedown,ctrl+f,space", "pages(1)", "", "page down", in_palette=False),
        Command("lines.page-up", "pageup,ctrl+u", "pages(-1)", "", "page up", in_palette=False),
        Command("lines.first", "home,g", "first", "", "go to the start", in_palette=False),
        Command("lines.last", "end,G", "last", "", "go to the end and follow new lines", in_palette=False),
    ),
)
DETAILS = Scope(
    "Details of a store",
    (
        Command("details.yaml", "y", "yaml", "YAML", "switch between YAML and text"),
        Command("details.back", "escape,q", "back", "back", "back to the list", in_palette=False),
    ),
)
APP = Scope(
    "Everywhere",
    (
        Command("app.help", "question_mark,f1", "help", "help", "show all keys"),
        Command("app.palette", "ctrl+p", "command_palette", "", "find a store or a command by name", in_palette=False),
        Command("app.command", "colon", "command", "", "type a command", in_palette=False),
        Command("app.reconnect", "R", "reconnect", "", "reconnect now"),
        Command("app.theme", "T", "toggle_theme", "", "switch between dark and light"),
        Command("app.quit", "ctrl+q,ctrl+c", "quit", "", "quit from any screen"),
    ),
)
SCOPES = (LIST, STORE, TABLE, LINES, DETAILS, APP)
# The scopes that are active together: in the list, in the timeline beside it, in the details.
PLACES = ((LIST, STORE, TABLE, APP), (LIST, STORE, LINES, APP), (DETAILS, STORE, LINES, APP))


def commands() -> Iterator[Command]:
    """Return all commands."""
    for scope in SCOPES:
        yield from scope.commands


def check_keys(keys: Mapping[str, str], where: str) -> None:
    """Check that all ids are commands and that no two commands of one place share a key.

    Raises:
        ConfigError: with the unknown id and the closest known id, or with both commands.
    """
    ids = [command.id for command in commands()]
    for unknown in keys.keys() - set(ids):
        near = get_close_matches(unknown, ids, 1, 0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known commands: {', '.join(ids)}."
        raise ConfigError(f"{where}: unknown command {unknown!r} in [keys].", hint=hint)
    for place in PLACES:
        taken: dict[str, str] = {}
        bound = [
            (command, key)
            for scope in place
            for command in scope.commands
            for key in keys.get(command.id, command.keys).replace(" ", "").split(",")
        ]
        for command, key in bound:
            other = taken.setdefault(key, command.id)
            if other != command.id:
                raise ConfigError(
                    f"{where}: the key {key!r} is assigned to {other} and to {command.id}.",
                    hint="Assign another key to one of them.",
                )
