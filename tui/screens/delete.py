"""The dialog that deletes stores: those with the uids that were shown when the key was pressed, whatever happens since.

It names what goes. A shop that serves has its name typed, several stores their number. What could not be deleted stays
in the dialog with the reason; what was deleted leaves it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.widgets import Input, Static

from tui.screens.request import AskingDialog
from tui.text.problems import dashboard_of, problem_words
from tui.text.values import SERVING_PHASES, plural
from urumi.errors import UrumiError
from urumi.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual import events
    from textual.app import ComposeResult

    from urumi.wire import Deleted, Store

NAMED_STORES = 8
AT_ONCE = 4
NOT_ITS_OWN = "NamespaceNotOurs"  # the reconciler's reason for a namespace that it leaves alone


class NotDeletedError(UrumiError):
    """Raised when some of the stores were not deleted."""


class DeleteDialog(AskingDialog[str]):
    """Deletes the stores and answers with what to say about it."""

    confirm = "Delete"
    busy = "Deleting"
    variant = "danger"

    def __init__(self, stores: Sequence[Store], *, target: str, stale: str = "") -> None:
        super().__init__()
        self._stores = tuple(stores)
        self._target = target
        self._stale = stale

    def heading(self) -> str:
        """Return what is asked."""
        return (
            f"Delete {self._stores[0].store_id}?" if len(self._stores) == 1 else f"Delete {len(self._stores)} stores?"
        )

    @property
    def wanted(self) -> str:
        """What has to be typed; empty where nothing has to."""
        if len(self._stores) > 1:
            return f"delete {len(self._stores)}"
        return self._stores[0].store_id if self._stores[0].phase in SERVING_PHASES else ""

    def asked(self) -> ComposeResult:
        """Say what goes, and ask for the name."""
        yield Static(printable_lines(self._words()), id="goes", markup=False)
        if self._stale:
            yield Static(printable(self._stale), classes="dialog--stale", markup=False)
        if self.wanted:
            yield Static(
                f"Type {printable(self.wanted)} to delete.", id="wanted", classes="dialog--label", markup=False
            )
            yield Input(id="typed", compact=True, select_on_focus=False)

    def is_confirmed(self) -> bool:
        """Return whether the right words were typed, where any have to be."""
        return not self.wanted or self.query_one("#typed", Input).value.strip() == self.wanted

    async def ask(self) -> str:
        """Delete the stores, a few at once."""
        client = await dashboard_of(self).session.client()
        slots = asyncio.Semaphore(AT_ONCE)

        async def delete(store: Store) -> Deleted:
            async with slots:
                return await client.delete_store(store.store_id, uid=store.uid)

        asked = self._stores
        answers = await asyncio.gather(*map(delete, asked), return_exceptions=True)
        pairs = list(zip(asked, answers, strict=True))
        refusals = [(store, answer) for store, answer in pairs if isinstance(answer, Exception)]
        if len(asked) == 1 and refusals:
            raise refusals[0][1]
        if refusals:
            self._stores = tuple(store for store, _ in refusals)
            raise _not_deleted(len(asked), refusals)
        return _said(asked, sum(not answer.deleted for answer in answers if not isinstance(answer, BaseException)))

    def refused(self, error: Exception) -> None:
        """Go on with the stores that are left."""
        self.query_one(".dialog--heading", Static).update(printable(self.heading()))
        self.query_one("#goes", Static).update(printable_lines(self._words()))
        for wanted in self.query("#wanted").results(Static):
            wanted.update(f"Type {printable(self.wanted)} to delete." if self.wanted else "")
        self.set_focus(self.query_one("#cancel"))

    def on_input_changed(self) -> None:
        """Look whether the name is right."""
        self.check()

    def on_input_submitted(self) -> None:
        """Go on with enter."""
        self.go_on()

    def on_key(self, event: events.Key) -> None:
        """Let whoever begins to type the name do so, though the focus begins on Cancel."""
        if self.wanted and event.is_printable:  # none gets here from the input itself
            typed = self.query_one("#typed", Input)
            self.set_focus(typed)
            typed.insert_text_at_cursor(event.character or "")
            event.stop()

    def _words(self) -> Iterator[str]:
        if len(self._stores) > 1:
            names = [f"  {store.store_id}  {store.phase}, namespace {store.namespace}" for store in self._stores]
            yield f"This cannot be undone. On {self._target} go, each with all its data:"
            yield from names[:NAMED_STORES]
            if len(names) > NAMED_STORES:
                yield f"  and {len(names) - NAMED_STORES} more"
            return
        store = self._stores[0]
        yield f"This cannot be undone. On {self._target} go:"
        if store.last_error and store.last_error.reason == NOT_ITS_OWN:
            yield f"  the store; namespace {store.namespace} is not its own and stays"
            return
        yield "  the shop with its orders, customers and products"
        yield f"  release {store.release_name}"
        yield f"  namespace {store.namespace} with its volumes, secrets and all else in it"


def printable_lines(lines: Iterator[str]) -> str:
    """Return lines as one text that is safe to draw."""
    return "\n".join(map(printable, lines))


def _not_deleted(asked: int, refusals: Sequence[tuple[Store, Exception]]) -> NotDeletedError:
    reasons = [f"{store.store_id}: {next(problem_words(error))}" for store, error in refusals]
    done = asked - len(refusals)
    more = f" And {len(reasons) - 3} more." if len(reasons) > 3 else ""
    return NotDeletedError(f"{done} of {asked} are being deleted. {' '.join(reasons[:3])}{more}")


def _said(stores: Sequence[Store], gone_before: int) -> str:
    if len(stores) == 1:
        return f"{stores[0].store_id} {'was gone already' if gone_before else 'is being deleted'}."
    before = f", {gone_before} of them were gone already" if gone_before else ""
    return f"{plural(len(stores), 'store')} are being deleted{before}."
