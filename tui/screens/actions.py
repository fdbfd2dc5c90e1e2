"""A screen whose keys act on stores: those that were under the cursor or marked when the key was pressed.

`targets` is asked once, at the key press; what it returns is what the action, its dialog and its calls are about,
wherever the list goes meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen

from tui.commands.availability import ASKING, able, why_nothing_is_asked
from tui.model.keymap import STORE
from tui.screens.admin import AccountDialog, AdminDialog
from tui.screens.delete import DeleteDialog
from tui.text.problems import dashboard_of, problem_words
from tui.text.report import report
from tui.text.values import plural
from tui.widgets.keybar import Hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.binding import BindingType

    from tui.app import Dashboard
    from tui.model.keymap import Command
    from urumi.wire import Credentials, Store


class ActingScreen(Screen[None]):
    """A screen with the actions on stores."""

    BINDINGS: ClassVar[list[BindingType]] = STORE.bindings()

    @property
    def dashboard(self) -> Dashboard:
        """The dashboard."""
        return dashboard_of(self)

    def targets(self) -> Sequence[Store]:
        """Return the stores that an action is about now."""
        raise NotImplementedError

    def why_not(self, action: str) -> str:
        """Return why an action would do nothing now; empty where it would do something."""
        session = self.dashboard.session
        if action in ASKING:
            reason = why_nothing_is_asked(is_live=session.is_live, read_only=self.dashboard.settings.read_only)
            if reason:
                return reason
        if action not in {command.action for command in STORE.commands}:
            return ""
        return able(action, self.targets())[1]

    def hints(self, commands: Iterable[Command]) -> tuple[Hint, ...]:
        """Return the hints for the bar of keys."""
        return tuple(
            Hint(self.dashboard.key_of(each), each.label, f"screen.{each.action}", not self.why_not(each.action))
            for each in commands
            if each.label
        )

    def action_retry(self) -> None:
        """Make the next attempt now."""
        stores = self._able("retry")
        if stores:
            self.dashboard.run_worker(self._retry(stores), group="calls", exit_on_error=False)

    def action_delete(self) -> None:
        """Ask whether the stores are meant, and delete them."""
        stores = self._able("delete")
        if stores:
            self.app.push_screen(DeleteDialog(stores, target=self.dashboard.session.target.url), self._deleted)

    def action_open_shop(self) -> None:
        """Open the shop in a browser."""
        for store in self._able("open_shop"):
            self.dashboard.follow_address(store.url)

    def action_copy_id(self) -> None:
        """Copy the ids."""
        stores = self._able("copy_id")
        if stores:
            what = stores[0].store_id if len(stores) == 1 else plural(len(stores), "id")
            self.dashboard.copy("\n".join(store.store_id for store in stores), what)

    def action_copy_url(self) -> None:
        """Copy the addresses."""
        stores = self._able("copy_url")
        if stores:
            what = stores[0].url if len(stores) == 1 else plural(len(stores), "address")
            self.dashboard.copy("\n".join(store.url for store in stores), what)

    def action_copy_report(self) -> None:
        """Copy what somebody who helps would ask for."""
        stores = self._able("copy_report")
        if stores:
            names = ", ".join(store.store_id for store in stores)
            self.dashboard.copy(
                "\n\n".join(report(store, self.dashboard.now()) for store in stores), f"a report of {names}"
            )

    def action_admin(self) -> None:
        """Ask whether the admin account is to be shown, and show it."""
        for store in self._able("admin"):
            self.app.push_screen(AdminDialog(store), self._show_account)

    def _able(self, action: str) -> tuple[Store, ...]:
        reason = self.why_not(action)
        if reason:
            self.dashboard.say(reason, severity="warning")
            return ()
        return able(action, self.targets())[0]

    def _show_account(self, account: Credentials | None) -> None:
        if account:
            self.app.push_screen(AccountDialog(account))

    def _deleted(self, said: str | None) -> None:
        if said:
            self.dashboard.say(said)

    async def _retry(self, stores: Sequence[Store]) -> None:
        session = self.dashboard.session
        client = await session.client()
        same = [store for store in stores if session.find(store.uid)]
        calls = (client.retry_store(store.store_id, uid=store.uid) for store in same)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        refusals = [
            (store, answer) for store, answer in zip(same, answers, strict=True) if isinstance(answer, Exception)
        ]
        for store, error in refusals[:3]:
            self.dashboard.say(
                " ".join((f"{store.store_id} was not retried.", *problem_words(error))), severity="error"
            )
        done = len(same) - len(refusals)
        if done:
            what = f"{same[0].store_id} is" if len(same) == 1 else f"{plural(done, 'store')} are"
            self.dashboard.say(f"{what} tried again now.")
        if len(same) < len(stores):
            self.dashboard.say("Nothing to retry: the store is gone.", severity="warning")
