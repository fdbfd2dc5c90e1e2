"""A checkout made of stand-ins."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.setup.checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A fresh checkout; a server that it started ends with the test."""
    made = Checkout(tmp_path)
    yield made
    made.end_server()
