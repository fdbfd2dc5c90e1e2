"""A checkout with substitutes for external programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.setup.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A new checkout; a server that it started is stopped after the test."""
    made = Checkout(tmp_path)
    yield made
    made.end_server()
