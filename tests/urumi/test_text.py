"""Text about a store that several programs display."""

import errno
import socket

import pytest

from testing.stores import event, failed, make_store, provisioning
from urumi.cli.store_lines import event_line
from urumi.text import cause_text, printable, progress_text, span
from urumi.wire import Store

TERMINATING = {
    "step": "namespace",
    "reason": "NamespaceTerminating",
    "message": "namespace store-shop-1 is terminating",
}
NOT_READY = {"type": "Ready", "status": "False", "reason": "Provisioning", "message": "requested"}


@pytest.mark.parametrize(
    ("store", "text"),
    [
        pytest.param(make_store(), "", id="ready"),
        pytest.param(provisioning(), "5/5 health: waiting for wordpress 0/1", id="progress"),
        pytest.param(provisioning(message=""), "5/5 health", id="progress without a message"),
        pytest.param(failed(), "health: ImagePullBackOff: no image", id="failed"),
        pytest.param(
            failed(progress={"step": "health", "index": 5, "total": 5}),
            "health: ImagePullBackOff: no image",
            id="the error of a failed store comes before its progress",
        ),
        pytest.param(
            make_store(phase="Provisioning", last_error=TERMINATING),
            "namespace: NamespaceTerminating: namespace store-shop-1 is terminating",
            id="error without progress",
        ),
        pytest.param(make_store(phase="Pending", conditions=[NOT_READY]), "Provisioning: requested", id="condition"),
        pytest.param(make_store(phase="Pending"), "", id="nothing known"),
    ],
)
def test_progress_shows_the_step_of_a_store_or_why_it_is_not_ready(store: Store, text: str) -> None:
    assert progress_text(store) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h"), (86400, "1d"), (900000, "10d")],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m", id="escape sequence"),
        pytest.param("a\r\nb\tc", "a  b c", id="line ends"),
        pytest.param("\x07\x00\x9b", "\\x07\\x00\\x9b", id="controls"),
        pytest.param("shop\u202egnp", "shop\\u202egnp", id="reversed reading"),
        pytest.param("Käse 雪", "Käse 雪", id="letters stay"),
    ],
)
def test_nothing_from_a_server_moves_the_cursor(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert shown in event_line(event("X", text))


def caused_by(cause: Exception) -> Exception:
    """Return an error of a library with a cause."""
    error = ValueError("all attempts failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        pytest.param(
            caused_by(ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('::1', 1)")),
            "Connection refused",
            id="system",
        ),
        pytest.param(
            caused_by(socket.gaierror(-2, "Name or service not known")), "Name or service not known", id="name"
        ),
        pytest.param(caused_by(OSError("no number")), "all attempts failed", id="no number"),
        pytest.param(ValueError(), "ValueError", id="no text"),
    ],
)
def test_the_cause_of_a_failed_connection_is_the_message_of_the_system_if_there_is_one(
    error: Exception, text: str
) -> None:
    assert cause_text(error) == text
