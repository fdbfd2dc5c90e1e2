"""A dialog that calls the server: it stays open until the response is there, and shows a failure inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Static

from tui.host import host_of
from tui.text.problems import problem_lines
from urumi.text import printable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

SPIN_SECONDS = 0.1


class RequestDialog(ModalScreen[ScreenResultType]):
    """The frame of such a dialog; a subclass defines its body and its request."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel", "cancel")]

    confirm = "OK"
    busy = "Sending"
    variant = "primary"
    first_focus = "#cancel"

    def __init__(self) -> None:
        super().__init__(classes="dialog")
        self._is_busy = False
        self._turns = 0
        self._spinning: Timer | None = None

    def compose(self) -> ComposeResult:
        """Put the body between heading and buttons; it scrolls in a low terminal."""
        with Vertical(classes="dialog--frame"):
            yield Static(printable(self.heading()), classes="dialog--heading", markup=False)
            with VerticalScroll(classes="dialog--body", can_focus=False):
                yield from self.body()
                yield Static("", classes="dialog--problem", markup=False)
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(self.confirm, id="confirm", classes=self.variant, compact=True)

    def heading(self) -> str:
        """Return the heading, one line."""
        raise NotImplementedError

    def body(self) -> ComposeResult:
        """Return what stands between heading and buttons."""
        yield from ()

    def is_complete(self) -> bool:
        """Return whether the input allows the request."""
        return True

    async def send(self) -> ScreenResultType:
        """Send the request and return the result of the dialog; raise if it fails."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Put the focus on Cancel unless the subclass names another widget."""
        self.set_focus(self.query_one(self.first_focus))
        self.check()

    def check(self) -> None:
        """Enable the request if the input allows it."""
        self.query_one("#confirm", Button).disabled = self._is_busy or not self.is_complete()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Submit or cancel."""
        if event.button.id == "confirm":
            self.submit()
        else:
            self.action_cancel()

    def action_cancel(self) -> None:
        """Close the dialog, unless the request was already sent."""
        if self._is_busy:
            host_of(self).show_message("The request was already sent; waiting for the response.")
        else:
            self.dismiss()

    def submit(self) -> None:
        """Send the request if the input allows it and it was not sent yet."""
        if not self._is_busy and self.is_complete():
            self._set_busy(True)
            self.show_problem()
            self._send()

    @work(exit_on_error=False)
    async def _send(self) -> None:
        try:
            result = await self.send()
        except Exception as error:  # any failure is shown here, and the dialog stays open
            self._set_busy(False)
            self.show_problem(*problem_lines(error))
            self.on_failure(error)
        else:
            self.dismiss(result)

    def on_failure(self, error: Exception) -> None:
        """Update the dialog after a failure, which is already shown."""

    def show_problem(self, *lines: str) -> None:
        """Show what failed, or nothing."""
        problem = self.query_one(".dialog--problem", Static)
        problem.update("\n".join(map(printable, lines)))
        problem.display = bool(lines)
        if lines:
            problem.call_after_refresh(problem.scroll_visible, animate=False)

    def _set_busy(self, is_busy: bool) -> None:
        self._is_busy = is_busy
        self.query_one("#cancel", Button).disabled = is_busy
        if self._spinning:
            self._spinning.stop()
        self._spinning = self.set_interval(SPIN_SECONDS, self._spin) if is_busy else None
        self._spin()
        self.check()

    def _spin(self) -> None:
        button = self.query_one("#confirm", Button)
        spinner = host_of(self).glyphs.spinner
        self._turns += 1
        button.label = f"{self.busy} {spinner[self._turns % len(spinner)]}" if self._is_busy else self.confirm
