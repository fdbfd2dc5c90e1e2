"""The admin account of a store, in two steps: a confirmation, then the account.

The confirmation is about the uid that was captured at the key press. The password is on the screen only while the
second dialog is open; copying passes it to the terminal and writes no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.host import host_of
from tui.screens.request import RequestDialog
from urumi.text import printable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from urumi.wire import Credentials, Store


class AdminDialog(RequestDialog["Credentials"]):
    """Confirms that the account is to be shown, and reads it."""

    confirm = "Show"
    busy = "Reading"

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def heading(self) -> str:
        """Return the question."""
        return f"Show the admin account of {self._store.store_id}?"

    def body(self) -> ComposeResult:
        """Explain the consequences."""
        yield Static(
            "The password is shown in plain text. Anyone with this password can change everything in the shop. "
            "Check that nobody is watching. The server logs who reads it.",
            markup=False,
        )

    async def send(self) -> Credentials:
        """Read the account."""
        client = await host_of(self).session.client()
        return await client.read_credentials(self._store.store_id, uid=self._store.uid)


class AccountDialog(ModalScreen[None]):
    """Shows an account until it is closed."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "dismiss", "close"), ("c", "copy", "copy the password")]

    def __init__(self, account: Credentials) -> None:
        super().__init__(classes="dialog")
        self._account = account

    def compose(self) -> ComposeResult:
        """Put the account above the buttons."""
        account = self._account
        # The address is last, as it may have any length.
        facts = (("Username", account.username), ("Password", account.password), ("Address", account.admin_url))
        width = max(len(name) for name, _ in facts)
        lines = [f"{name:<{width}}  {printable(value)}" for name, value in facts if value]
        with Vertical(classes="dialog--frame"):
            yield Static(f"Admin account of {printable(account.store_id)}", classes="dialog--heading", markup=False)
            with VerticalScroll(classes="dialog--body", can_focus=False):
                yield Static("\n".join(lines), classes="dialog--text", markup=False)
            with Horizontal(classes="dialog--buttons"):
                yield Button("Copy password", id="copy", classes="primary", compact=True)
                yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        """Put the focus on Close."""
        self.set_focus(self.query_one("#close"))

    def action_copy(self) -> None:
        """Copy the password."""
        host_of(self).copy(self._account.password, f"the password of {self._account.store_id}", secret=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Copy or close."""
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.dismiss()
