"""The dialog that asks for a new store: the rule for an id is checked as it is typed, the server has the last word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.widgets import Input, Static

from tui.screens.request import AskingDialog
from tui.text.problems import dashboard_of
from tui.text.values import ENGINE_NAMES, ENGINE_PARTS
from tui.widgets.choice import Choice
from urumi.store import STORE_ID_MAX_LENGTH, Engine, namespace_name, release_name, store_id_problem
from urumi.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from urumi.wire import Store

RULE = "3 to 32 lower-case letters, digits and inner hyphens. Part of the shop's address."


@dataclass(frozen=True, slots=True)
class Created:
    """The store that was asked for, and whether it is a new one."""

    store: Store
    is_new: bool


class CreateDialog(AskingDialog[Created]):
    """Asks for a store and answers with it."""

    confirm = "Create store"
    busy = "Asking"
    first = "#store-id"

    def __init__(self, known: Mapping[str, Store], store_id: str = "", engine: Engine = Engine.WOOCOMMERCE) -> None:
        super().__init__()
        self._known = known
        self._store_id = store_id
        self._engine = engine

    def heading(self) -> str:
        """Return what is asked."""
        return "New store"

    def asked(self) -> ComposeResult:
        """Ask for an id and an engine."""
        yield Static("Store id", classes="dialog--label")
        yield Input(
            self._store_id, placeholder="shop-1", id="store-id", compact=True, max_length=STORE_ID_MAX_LENGTH + 8
        )
        yield Static("", id="store-id-words", markup=False)
        yield Static("Engine, cannot be changed later", classes="dialog--label")
        words = {engine.value: f"{ENGINE_NAMES[engine]}: {ENGINE_PARTS[engine]}" for engine in Engine}
        yield Choice(words, self._engine.value, id="engine")

    def is_confirmed(self) -> bool:
        """Return whether the id can be one."""
        return not store_id_problem(self.typed)

    async def ask(self) -> Created:
        """Ask for the store."""
        # The feed may tell of the store before the answer does, so what was known is looked up first.
        known = self._known.get(self.typed)
        client = await dashboard_of(self).session.client()
        store = await client.create_store(self.typed, self.engine)
        return Created(store, is_new=known is None or known.uid != store.uid)

    def refused(self, error: Exception) -> None:
        """Let the id be changed."""
        self.set_focus(self.query_one("#store-id"))

    @property
    def typed(self) -> str:
        """The id as typed."""
        return self.query_one("#store-id", Input).value.strip()

    @property
    def engine(self) -> Engine:
        """The engine that was chosen."""
        return Engine(self.query_one("#engine", Choice).value)

    def check(self) -> None:
        """Say what is wrong with the id, or what will be made of it."""
        super().check()
        problem = store_id_problem(self.typed)
        words = self.query_one("#store-id-words", Static)
        words.update(printable(self._words(problem)))
        words.set_class(bool(self.typed and problem and not _is_only_short(self.typed)), "-wrong")

    def _words(self, problem: str) -> str:
        if not self.typed:
            return RULE
        if problem:
            return f"The id {problem}."
        known = self._known.get(self.typed)
        if known:
            return f"{self.typed} exists already: {ENGINE_NAMES[known.engine]}, {known.phase}."
        return f"Makes namespace {namespace_name(self.typed)} and release {release_name(self.engine, self.typed)}."

    def on_input_changed(self) -> None:
        """Check what is typed."""
        self.show_problem()
        self.check()

    def on_input_submitted(self) -> None:
        """Go on with enter."""
        self.go_on()

    def on_choice_changed(self) -> None:
        """Name the release of the other engine."""
        self.check()

    def on_choice_accepted(self) -> None:
        """Go on with enter."""
        self.go_on()


def _is_only_short(store_id: str) -> bool:
    # Nobody is told off in the middle of a word: more typing can still make a good id of it.
    return not store_id_problem(f"{store_id}00") or not store_id_problem(f"{store_id}0")
