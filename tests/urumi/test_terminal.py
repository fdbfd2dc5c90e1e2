"""What the streams can show, and that data stays valid where letters cannot be encoded."""

import io
import json
import sys

import pytest

from urumi.cli.terminal import ellipsis, is_utf8, make_printable, output_width, write_json


class Terminal(io.TextIOWrapper):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def stream(encoding: str, kind: type[io.TextIOWrapper] = io.TextIOWrapper) -> io.TextIOWrapper:
    """Return a stream in memory."""
    return kind(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8", "…"), ("UTF8", "…"), ("ascii", "..."), ("latin-1", "..."), ("cp1252", "...")]
)
def test_the_ellipsis_is_ascii_unless_the_output_is_utf_8(
    monkeypatch: pytest.MonkeyPatch, encoding: str, mark: str
) -> None:
    monkeypatch.setattr(sys, "stdout", stream(encoding))
    assert ellipsis() == mark


def test_only_a_terminal_limits_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stdout", stream("utf-8"))
    assert output_width(wide=False) is None
    monkeypatch.setattr(sys, "stdout", stream("utf-8", Terminal))
    assert output_width(wide=False) == 80
    assert output_width(wide=True) is None


@pytest.mark.parametrize(
    ("kind", "locale", "expected"),
    [
        pytest.param(Terminal, "C", b"\\u2026", id="terminal in the C locale"),
        pytest.param(Terminal, "C.UTF-8", "…".encode(), id="terminal"),
        pytest.param(io.TextIOWrapper, "C", "…".encode(), id="pipe in the C locale"),
    ],
)
def test_letters_beyond_ascii_are_escaped_on_a_terminal_in_the_c_locale(
    monkeypatch: pytest.MonkeyPatch, kind: type[io.TextIOWrapper], locale: str, expected: bytes
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    output = stream("utf-8", kind)
    make_printable(output)
    output.write("…")
    output.flush()
    assert isinstance(output.buffer, io.BytesIO)
    assert output.buffer.getvalue() == expected


def test_a_closed_stream_is_tolerated() -> None:
    make_printable(None)
    assert not is_utf8(None)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_json_is_valid_in_every_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    output = stream(encoding)
    make_printable(output)
    monkeypatch.setattr(sys, "stdout", output)
    write_json({"message": "wärmt auf 雪"}, lines=True)
    assert isinstance(output.buffer, io.BytesIO)
    assert json.loads(output.buffer.getvalue().decode(encoding)) == {"message": "wärmt auf 雪"}
