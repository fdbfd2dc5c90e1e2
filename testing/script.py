"""Programs that tests write in Python."""

import sys


def python_script(code: str, python: str = sys.executable) -> str:
    """Return code as an executable script for a Python whose path may have spaces or be long, as pip writes it.

    The kernel splits an interpreter's path at blanks and limits its length, so sh reads the first lines.
    """
    return f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n{code}"
