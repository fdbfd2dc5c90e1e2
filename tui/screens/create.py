"""The dialog that creates a store: the id is checked while it is typed, and the server checks it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.widgets import Input, Static

from tui.host import host_of
from tui.screens.request import RequestDialog
from tui.widgets.choice import Choice
from urumi.store import STORE_ID_MAX_LENGTH, Engine, namespace_name, release_name, store_id_problem
from urumi.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from urumi.wire import Store

RULE = "3 to 32 lower-case letters, digits and inner hyphens. It is part of the shop's address."


@dataclass(frozen=True, slots=True)
class Created:
    """The requested store, and whether it is new."""

    store: Store
    is_new: bool


class CreateDialog(RequestDialog[Created]):
    """Creates a store and returns it."""

    confirm = "Create store"
    busy = "Creating"
    first_focus = "#store-id"

    def __init__(self, known: Mapping[str, Store], store_id: str = "", engine: Engine = Engine.WOOCOMMERCE) -> None:
        super().__init__()
        self._known = known
        self._store_id = store_id
        self._engine = engine

    def heading(self) -> str:
        """Return the heading."""
        return "New store"

    def body(self) -> ComposeResult:
        """Show the inputs for an id and an engine."""
        yield Static("Store id", classes="dialog--label")
        yield Input(
            self._store_id, placeholder="shop-1", id="store-id", compact=True, max_length=STORE_ID_MAX_LENGTH + 8
        )
        yield Static("", id="store-id-note", markup=False)
        yield Static("Engine (cannot be changed later)", classes="dialog--label")
        texts = {engine.value: f"{engine.display_name}: {engine.parts}" for engine in Engine}
        yield Choice(texts, self._engine.value, id="engine")

    def is_complete(self) -> bool:
        """Return whether the id is valid."""
        return not store_id_problem(self.typed)

    async def send(self) -> Created:
        """Create the store."""
        # The feed may report the store before the call returns, so the lookup comes first.
        known = self._known.get(self.typed)
        client = await host_of(self).session.client()
        store = await client.create_store(self.typed, self.engine)
        return Created(store, is_new=known is None or known.uid != store.uid)

    def on_failure(self, error: Exception) -> None:
        """Put the focus on the id."""
        self.set_focus(self.query_one("#store-id"))

    @property
    def typed(self) -> str:
        """The id that was typed."""
        return self.query_one("#store-id", Input).value.strip()

    @property
    def engine(self) -> Engine:
        """The engine that was chosen."""
        return Engine(self.query_one("#engine", Choice).value)

    def check(self) -> None:
        """Show what is wrong with the id, or what is created from it."""
        super().check()
        problem = store_id_problem(self.typed)
        # An id that longer input can still make valid is not marked as wrong.
        is_short = not store_id_problem(f"{self.typed}00") or not store_id_problem(f"{self.typed}0")
        note = self.query_one("#store-id-note", Static)
        note.update(printable(self._note(problem)))
        note.set_class(bool(self.typed and problem and not is_short), "-wrong")

    def _note(self, problem: str) -> str:
        if not self.typed:
            return RULE
        if problem:
            return f"The id {problem}."
        known = self._known.get(self.typed)
        if known:
            return f"{self.typed} already exists: {known.engine.display_name}, {known.phase}."
        return f"Creates namespace {namespace_name(self.typed)} and release {release_name(self.engine, self.typed)}."

    def on_input_changed(self) -> None:
        """Check the id."""
        self.show_problem()
        self.check()

    def on_input_submitted(self) -> None:
        """Submit with enter."""
        self.submit()

    def on_choice_changed(self) -> None:
        """Show the release of the other engine."""
        self.check()

    def on_choice_accepted(self) -> None:
        """Submit with enter."""
        self.submit()
