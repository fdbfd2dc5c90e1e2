"""The parts of kubernetes-asyncio that are used: cluster configuration, credentials and the TLS session.

A regular import of the library loads its generated API, 830 modules that cost every server 38 MiB and 0.4 s at start.
Therefore its packages are registered without running their `__init__`, and each module that is needed is imported by
its full name. Any other name of the library fails with an ordinary ImportError.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def _register(package: str) -> ModuleType:
    """Register a package without running its code, so that its modules can be imported."""
    found = find_spec(package)
    if found is None or found.submodule_search_locations is None:
        raise ImportError(f"{package} is not installed or not a package")
    registered = ModuleType(package)
    registered.__spec__, registered.__path__ = found, list(found.submodule_search_locations)
    sys.modules[package] = registered
    return registered


def _load() -> tuple[Any, Any, Any]:
    name = "kubernetes_asyncio"
    if name not in sys.modules:
        _register(name)
        client = _register(f"{name}.client")
        # Only needed to convert responses into generated classes.
        _register(f"{name}.client.models")
        client.Configuration = import_module(f"{name}.client.configuration").Configuration  # type: ignore[attr-defined]
        client.ApiClient = import_module(f"{name}.client.api_client").ApiClient  # type: ignore[attr-defined]
    loaded = import_module(f"{name}.client")
    return loaded.ApiClient, loaded.Configuration, import_module(f"{name}.config")


ApiClient, Configuration, kube_config = _load()
