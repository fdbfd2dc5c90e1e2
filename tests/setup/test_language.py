"""Documents, docstrings and messages use plain words: none contains a turn of phrase that this project does not use."""

from pathlib import Path

import pytest

from tests.setup.language import TURNS, turns_in, turns_in_module
from tests.setup.markdown import DOCUMENTS, prose

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_is_written_in_plain_words(document: Path) -> None:
    assert [str(turn) for turn in turns_in(prose(document.read_text()))] == []


@pytest.mark.parametrize("package", ["urumi", "reconciler", "server", "tui", "cluster"])
def test_the_strings_of_a_package_are_in_plain_words(package: str) -> None:
    modules = sorted((ROOT / package).rglob("*.py"))
    assert [f"{path}: {turn}" for path in modules for turn in turns_in_module(path.read_text())] == []


@pytest.mark.parametrize(
    "text",
    [
        "Every client is told of it.",
        "Nothing was heard for 75 s.",
        "It goes on by itself.",
        "What another hand changes comes back.",
        "Nobody leads.",
        "It is retried for ever.",
        "The namespace is made anew.",
        "A store is asked for.",
        "Where there is none, it waits.",
        "A namespace of its own, with walls around it.",
    ],
)
def test_a_turn_is_found(text: str) -> None:
    assert turns_in(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "The store is retried until it is Ready.",
        "setup.sh asks for confirmation.",
        "There is no Go on PATH.",
        "A firewall between the nodes and the registry.",
        "The server itself configures nothing.",
        "Follow the hallway to the installer.",
    ],
)
def test_plain_words_are_left_alone(text: str) -> None:
    assert turns_in(text) == []


def test_a_turn_is_reported_with_its_line_and_what_to_write() -> None:
    [turn] = turns_in("One.\n\nStores are retried for ever.\n")
    assert str(turn) == f"line 3: 'for ever'; write: {TURNS['for ever|anew']}"


def test_the_strings_of_a_module_are_checked_and_its_names_are_not() -> None:
    source = 'told = 1\nmessage = f"{told} stores are retried for ever"\n'
    assert [(turn.line, turn.words) for turn in turns_in_module(source)] == [(2, "for ever")]
