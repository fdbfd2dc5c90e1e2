"""A screen with actions on stores: those under the cursor or marked when the key was pressed.

`targets` is called once, at the key press. The action, its dialog and its calls use the stores that it returned,
wherever the cursor moves in the meantime.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen

from tui.commands.availability import SERVER_ACTIONS, available_for, why_no_calls
from tui.model.keymap import STORE
from tui.screens.admin import AccountDialog, AdminDialog
from tui.screens.delete import DeleteDialog
from tui.text.problems import problem_lines
from tui.text.report import report
from tui.text.values import plural
from tui.widgets.bindings import bindings
from tui.widgets.keybar import Hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.binding import BindingType

    from tui.host import Host
    from tui.model.keymap import Command
    from urumi.wire import Credentials, Store

SHOWN_FAILURES = 3


class ActionScreen(Screen[None]):
    """A screen with the actions on stores."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(STORE)

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host

    def targets(self) -> Sequence[Store]:
        """Return the stores that an action applies to now."""
        raise NotImplementedError

    def why_not(self, action: str) -> str:
        """Return why an action is unavailable now; empty if it is available."""
        session = self.host.session
        if action in SERVER_ACTIONS:
            reason = why_no_calls(is_live=session.is_live, read_only=self.host.settings.read_only)
            if reason:
                return reason
        if action not in {command.action for command in STORE.commands}:
            return ""
        return available_for(action, self.targets())[1]

    def hints(self, commands: Iterable[Command]) -> tuple[Hint, ...]:
        """Return the hints for the key bar."""
        return tuple(
            Hint(self.host.key_of(each), each.label, f"screen.{each.action}", not self.why_not(each.action))
            for each in commands
            if each.label
        )

    def action_retry(self) -> None:
        """Retry now."""
        stores = self._available_for("retry")
        if stores:
            self.app.run_worker(self._retry(stores), group="calls", exit_on_error=False)

    def action_delete(self) -> None:
        """Confirm and delete the stores."""

        def show_result(message: str | None) -> None:
            if message:
                self.host.show_message(message)

        stores = self._available_for("delete")
        if stores:
            self.app.push_screen(DeleteDialog(stores, target=self.host.session.target.url), show_result)

    def action_open_shop(self) -> None:
        """Open the shop in a browser."""
        for store in self._available_for("open_shop"):
            self.host.open_address(store.url)

    def action_copy_id(self) -> None:
        """Copy the ids."""
        stores = self._available_for("copy_id")
        if stores:
            name = stores[0].store_id if len(stores) == 1 else plural(len(stores), "id")
            self.host.copy("\n".join(store.store_id for store in stores), name)

    def action_copy_url(self) -> None:
        """Copy the addresses."""
        stores = self._available_for("copy_url")
        if stores:
            name = stores[0].url if len(stores) == 1 else plural(len(stores), "address", "addresses")
            self.host.copy("\n".join(store.url for store in stores), name)

    def action_copy_report(self) -> None:
        """Copy the error reports."""
        stores = self._available_for("copy_report")
        if stores:
            reports = "\n\n".join(report(store, self.host.now()) for store in stores)
            self.host.copy(reports, f"the error report of {', '.join(store.store_id for store in stores)}")

    def action_admin(self) -> None:
        """Confirm and show the admin account."""

        def show_account(account: Credentials | None) -> None:
            if account:
                self.app.push_screen(AccountDialog(account))

        for store in self._available_for("admin"):
            self.app.push_screen(AdminDialog(store), show_account)

    def _available_for(self, action: str) -> tuple[Store, ...]:
        reason = self.why_not(action)
        if reason:
            self.host.show_message(reason, severity="warning")
            return ()
        return available_for(action, self.targets())[0]

    async def _retry(self, stores: Sequence[Store]) -> None:
        session = self.host.session
        client = await session.client()
        present = [store for store in stores if session.find(store.uid)]
        calls = (client.retry_store(store.store_id, uid=store.uid) for store in present)
        results = await asyncio.gather(*calls, return_exceptions=True)
        failures = [
            (each, result) for each, result in zip(present, results, strict=True) if isinstance(result, Exception)
        ]
        for store, error in failures[:SHOWN_FAILURES]:
            lines = " ".join(problem_lines(error))
            self.host.show_message(f"{store.store_id} was not retried: {lines}", severity="error")
        done = len(present) - len(failures)
        if done:
            name = present[0].store_id if len(present) == 1 else plural(done, "store")
            self.host.show_message(f"Retrying {name} now.")
        if len(present) < len(stores):
            self.host.show_message("Nothing to retry: the store was deleted.", severity="warning")
