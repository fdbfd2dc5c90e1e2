"""Every message can be read on one page, docs/messages.md, and has the shape that readers rely on."""

import re

import pytest

from server.http.problems import PROBLEMS
from tests.messages.collector import ROOT, Message, messages, page


def test_the_page_lists_every_message_of_the_source() -> None:
    assert (ROOT / "docs" / "messages.md").read_text() == page(), "run: .venv/bin/python -m tests.messages"


def test_errors_events_and_problems_are_found() -> None:
    kinds = {message.kind for message in messages()}
    assert {"ConfigError", "ClusterError", "BlockedError", "DriftCorrected", "not-found", "StartError"} <= kinds
    assert len(messages()) > 100


@pytest.mark.parametrize("message", [message for message in messages() if message.hint], ids=lambda m: m.hint[:40])
def test_a_hint_is_a_sentence_that_starts_with_what_to_do(message: Message) -> None:
    assert re.match(r"[A-Z{]", message.hint)
    # A sentence, or one that ends with a command to paste.
    assert re.search(r"([.}…`])$|: \S.*$", message.hint.rstrip())


def test_every_problem_has_a_short_title_without_a_full_stop() -> None:
    for name, (_, title) in PROBLEMS.items():
        assert title[0].isupper(), name
        assert not title.endswith("."), name
        assert len(title) <= 60, name
