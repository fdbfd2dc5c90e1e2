"""The files that come with Urumi besides its code: the charts of the engines and the definition of a Store.

An installed package holds them inside this package; setuptools copies them there when it builds the wheel (see
`scripts/wheel.py`). In a checkout they are `charts/` and `crds/` at its root.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def charts_dir() -> Path:
    """Return the folder with one chart for each engine."""
    return _data("charts")


def store_definition() -> Path:
    """Return the file with the CustomResourceDefinition of a Store."""
    return _data("crds") / "stores.yaml"


def _data(name: str) -> Path:
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name
