"""A dialog that asks the server for something: it stays until the answer is there, and a refusal is shown inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Static

from tui.text.problems import dashboard_of, problem_words
from urumi.text import printable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

SPIN_SECONDS = 0.1


class AskingDialog(ModalScreen[ScreenResultType]):
    """The frame of such a dialog; a subclass says what stands in it and how it asks."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel", "cancel")]

    confirm = "OK"
    busy = "Asking"
    variant = "primary"
    first = "#cancel"

    def __init__(self) -> None:
        super().__init__(classes="dialog")
        self._is_busy = False
        self._turns = 0
        self._spinning: Timer | None = None

    def compose(self) -> ComposeResult:
        """Put what the subclass asks between heading and buttons."""
        with Vertical(classes="dialog--frame"):
            yield Static(printable(self.heading()), classes="dialog--heading", markup=False)
            yield from self.asked()
            yield Static("", classes="dialog--problem", markup=False)
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(self.confirm, id="confirm", classes=self.variant, compact=True)

    def heading(self) -> str:
        """Return what is asked, in a line."""
        raise NotImplementedError

    def asked(self) -> ComposeResult:
        """Return what is asked of the person."""
        yield from ()

    def is_confirmed(self) -> bool:
        """Return whether enough was said to go on."""
        return True

    async def ask(self) -> ScreenResultType:
        """Ask the server; raise where it refuses."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Begin; the focus is on what can do no harm unless a subclass says otherwise."""
        self.set_focus(self.query_one(self.first))
        self.check()

    def check(self) -> None:
        """Offer to go on where enough was said."""
        self.query_one("#confirm", Button).disabled = self._is_busy or not self.is_confirmed()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Go on, or leave."""
        if event.button.id == "confirm":
            self.go_on()
        else:
            self.action_cancel()

    def action_cancel(self) -> None:
        """Leave without asking, unless it was asked already."""
        if self._is_busy:
            dashboard_of(self).say("The server was asked already; its answer is waited for.")
        else:
            self.dismiss()

    def go_on(self) -> None:
        """Ask the server, where enough was said and it was not asked yet."""
        if not self._is_busy and self.is_confirmed():
            self._set_busy(True)
            self.show_problem()
            self._ask()

    @work(exit_on_error=False)
    async def _ask(self) -> None:
        try:
            answer = await self.ask()
        except Exception as error:  # whatever went wrong is said here, and the dialog stays
            self._set_busy(False)
            self.show_problem(*problem_words(error))
            self.refused(error)
        else:
            self.dismiss(answer)

    def refused(self, error: Exception) -> None:
        """Take notice of a refusal, which is shown already."""

    def show_problem(self, *lines: str) -> None:
        """Show what went wrong, or nothing."""
        problem = self.query_one(".dialog--problem", Static)
        problem.update("\n".join(map(printable, lines)))
        problem.display = bool(lines)

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
        spinner = dashboard_of(self).glyphs.spinner
        self._turns += 1
        button.label = f"{self.busy} {spinner[self._turns % len(spinner)]}" if self._is_busy else self.confirm
