"""The admin account of a store, in two steps: whether it is meant to be shown, then the account itself.

The question is about the uid that was captured at the key press. The password is on the screen as long as the second
dialog is open and nowhere else: copying hands it to the terminal and writes no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.screens.request import AskingDialog
from tui.text.problems import dashboard_of
from urumi.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from urumi.wire import Credentials, Store

NAME_WIDTH = 10


class AdminDialog(AskingDialog["Credentials"]):
    """Asks whether the account is to be shown, and the server for it."""

    confirm = "Show it"
    busy = "Asking"

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def heading(self) -> str:
        """Return what is asked."""
        return f"Show the admin account of {self._store.store_id}?"

    def asked(self) -> ComposeResult:
        """Say what that means."""
        yield Static(
            "The password will be on this screen in plain text. The server writes down who has read it.", markup=False
        )

    async def ask(self) -> Credentials:
        """Ask for the account."""
        client = await dashboard_of(self).session.client()
        return await client.read_credentials(self._store.store_id, uid=self._store.uid)


class AccountDialog(ModalScreen[None]):
    """Shows an account until it is closed."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "dismiss", "close"), ("c", "copy", "copy the password")]

    def __init__(self, account: Credentials) -> None:
        super().__init__(classes="dialog")
        self._account = account

    def compose(self) -> ComposeResult:
        """Put the account over the buttons."""
        with Vertical(classes="dialog--frame"):
            yield Static(
                f"Admin account of {printable(self._account.store_id)}", classes="dialog--heading", markup=False
            )
            yield Static("\n".join(self._lines()), classes="dialog--text", markup=False)
            with Horizontal(classes="dialog--buttons"):
                yield Button("Copy password", id="copy", classes="primary", compact=True)
                yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        """Begin on what ends it."""
        self.set_focus(self.query_one("#close"))

    def action_copy(self) -> None:
        """Copy the password."""
        dashboard_of(self).copy(self._account.password, f"the password of {self._account.store_id}", secret=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Copy, or close."""
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.dismiss()

    def _lines(self) -> Iterator[str]:
        account = self._account
        # The address is last, as it may be of any length.
        facts = (("Username", account.username), ("Password", account.password), ("Address", account.admin_url))
        for name, value in facts:
            if value:
                yield f"{name:<{NAME_WIDTH}}{printable(value)}"
