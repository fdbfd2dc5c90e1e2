"""Writes docs/messages.md: `python -m tests.messages`."""

from tests.messages.collector import ROOT, page

(ROOT / "docs" / "messages.md").write_text(page())
