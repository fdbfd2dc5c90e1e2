"""The dialog that deletes stores: those with the uids that were captured at the key press.

It lists what is deleted. A store that serves must be confirmed with its name, several stores with their number. Stores
that could not be deleted stay in the dialog with the reason; deleted ones leave it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.widgets import Input, Static

from tui.host import host_of
from tui.model.phases import SERVING_PHASES
from tui.screens.request import RequestDialog
from tui.text.problems import problem_lines
from tui.text.values import plural
from urumi.errors import UrumiError
from urumi.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from urumi.wire import Deleted, Store

LISTED_STORES = 8
LISTED_FAILURES = 3
CONCURRENT_CALLS = 4
FOREIGN_NAMESPACE = "NamespaceNotOurs"  # the reason of the reconciler for a namespace that it does not manage


class NotDeletedError(UrumiError):
    """Raised when some of the stores were not deleted."""


class DeleteDialog(RequestDialog[str]):
    """Deletes the stores and returns the message about it."""

    confirm = "Delete"
    busy = "Deleting"
    variant = "danger"

    def __init__(self, stores: Sequence[Store], *, target: str) -> None:
        super().__init__()
        self._stores = tuple(stores)
        self._target = target

    def heading(self) -> str:
        """Return the question."""
        several = len(self._stores) > 1
        return f"Delete {plural(len(self._stores), 'store') if several else self._stores[0].store_id}?"

    @property
    def wanted(self) -> str:
        """The text that must be typed; empty if none is needed."""
        if len(self._stores) > 1:
            return f"delete {len(self._stores)}"
        return self._stores[0].store_id if self._stores[0].phase in SERVING_PHASES else ""

    def body(self) -> ComposeResult:
        """List what is deleted, with an input for the confirmation."""
        yield Static(self._list(), id="list", markup=False)
        if self.wanted:
            yield Static(self._prompt(), id="wanted", classes="dialog--label", markup=False)
            yield Input(id="typed", compact=True, select_on_focus=False)

    def is_complete(self) -> bool:
        """Return whether the wanted text was typed."""
        return not self.wanted or self.query_one("#typed", Input).value.strip() == self.wanted

    async def send(self) -> str:
        """Delete the stores, a few at once."""
        client = await host_of(self).session.client()
        limiter = asyncio.Semaphore(CONCURRENT_CALLS)

        async def delete(store: Store) -> Deleted:
            async with limiter:
                return await client.delete_store(store.store_id, uid=store.uid)

        stores = self._stores
        results = await asyncio.gather(*map(delete, stores), return_exceptions=True)
        failures = [
            (each, result) for each, result in zip(stores, results, strict=True) if isinstance(result, Exception)
        ]
        if len(stores) == 1 and failures:
            raise failures[0][1]
        if failures:
            self._stores = tuple(store for store, _ in failures)
            reasons = [f"{store.store_id}: {next(problem_lines(error))}" for store, error in failures[:LISTED_FAILURES]]
            if len(failures) > LISTED_FAILURES:
                reasons.append(f"And {len(failures) - LISTED_FAILURES} more.")
            raise NotDeletedError(f"Deleting {len(stores) - len(failures)} of {len(stores)}. {' '.join(reasons)}")
        absent = sum(not each.deleted for each in results if not isinstance(each, BaseException))
        if len(stores) == 1:
            return f"{stores[0].store_id} was already deleted." if absent else f"Deleting {stores[0].store_id}."
        return f"Deleting {plural(len(stores), 'store')}{f' ({absent} already deleted)' if absent else ''}."

    def on_failure(self, error: Exception) -> None:
        """Continue with the stores that are left."""
        self.query_one(".dialog--heading", Static).update(printable(self.heading()))
        self.query_one("#list", Static).update(self._list())
        for wanted in self.query("#wanted").results(Static):
            wanted.update(self._prompt())
        self.set_focus(self.query_one("#cancel"))

    def on_input_changed(self) -> None:
        """Check the name."""
        self.check()

    def on_input_submitted(self) -> None:
        """Submit with enter."""
        self.submit()

    def on_key(self, event: events.Key) -> None:
        """Type into the input, although the focus starts on Cancel."""
        if self.wanted and event.is_printable:  # keys typed in the input do not get here
            typed = self.query_one("#typed", Input)
            self.set_focus(typed)
            typed.insert_text_at_cursor(event.character or "")
            event.stop()

    def _prompt(self) -> str:
        return f"Type {printable(self.wanted)} to delete." if self.wanted else ""

    def _list(self) -> str:
        store, target = self._stores[0], self._target
        if len(self._stores) > 1:
            lines = [f"This permanently deletes, on {target}, with all data:"]
            lines += [f"  {each.store_id}  {each.phase}, namespace {each.namespace}" for each in self._stores]
            if len(lines) > LISTED_STORES + 1:
                lines[LISTED_STORES + 1 :] = [f"  and {len(self._stores) - LISTED_STORES} more"]
        elif store.last_error and store.last_error.reason == FOREIGN_NAMESPACE:
            lines = [
                f"This permanently deletes, on {target}:",
                f"  the store; namespace {store.namespace} does not belong to it and is kept",
            ]
        else:
            lines = [
                f"This permanently deletes, on {target}:",
                "  the shop with its orders, customers and products",
                f"  release {store.release_name}",
                f"  namespace {store.namespace} with its volumes, secrets and everything else",
            ]
        return "\n".join(map(printable, lines))
