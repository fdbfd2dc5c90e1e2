"""The shell scripts in the charts and in their images: shellcheck finds no problem.

tests/shops/woocommerce checks the files of WooCommerce's chart.
"""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.charts.conftest import CHARTS

if TYPE_CHECKING:
    from tests.charts.conftest import Rendered

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
IMAGE_SCRIPTS = [
    path
    for path in sorted((CHARTS / "medusa" / "image").rglob("*"))
    if path.is_file() and "node_modules" not in path.parts and path.read_bytes().startswith(b"#!/bin/sh")
]


def complaints(shell: str, script: str) -> str:
    """Return the findings of shellcheck in a script."""
    done = subprocess.run(
        [SHELLCHECK, f"--shell={shell}", "-"], input=script, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_the_scripts_of_containers_are_clean(rendered: "Rendered") -> None:
    commands = {name: found["command"] for name, found in rendered.containers().items() if "command" in found}
    scripts = {
        name: (Path(command[0]).name, command[2])
        for name, command in commands.items()
        if Path(command[0]).name in ("sh", "bash") and command[1].endswith("c")
    }
    assert scripts, "no container of this chart has a script; has the chart changed?"
    assert {name: said for name, script in scripts.items() if (said := complaints(*script))} == {}


@pytest.mark.parametrize("path", IMAGE_SCRIPTS, ids=lambda path: path.name)
def test_the_scripts_of_medusas_images_are_clean(path: Path) -> None:
    assert complaints("sh", path.read_text()) == ""


def test_a_script_that_is_not_clean_is_found() -> None:
    assert "SC2086" in complaints("sh", "cp $1 /tmp")
