"""The parser of `urumi` and `urumi-tui`: argparse without the colors that Python 3.14 adds to help and errors.

They would also go to a terminal that shows ASCII only.
"""

import argparse
from typing import Any


class PlainParser(argparse.ArgumentParser):
    """A parser that prints plain text; its subcommands have the same class."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.color = False
