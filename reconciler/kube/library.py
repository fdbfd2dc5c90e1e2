"""What is used of kubernetes-asyncio: where the cluster is, who we are, and the TLS session; nothing of its API.

Importing the library the usual way loads all of its generated API, 830 modules that cost every server 38 MiB and 0.4 s
of each start. So its packages are entered without running their `__init__`: each module that is needed is imported by
its own name. A name of the library that is not one of ours fails at its import with the words of Python.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def _enter(package: str) -> ModuleType:
    """Put a package where imports look for it, its own code not run; its modules can be imported from then on."""
    found = find_spec(package)
    if found is None or found.submodule_search_locations is None:
        raise ImportError(f"{package} is not installed, or no package")
    entered = ModuleType(package)
    entered.__spec__, entered.__path__ = found, list(found.submodule_search_locations)
    sys.modules[package] = entered
    return entered


def _load() -> tuple[Any, Any, Any]:
    name = "kubernetes_asyncio"
    if name not in sys.modules:
        _enter(name)
        client = _enter(f"{name}.client")
        # Only for turning answers into generated classes, which nobody here asks for.
        _enter(f"{name}.client.models")
        client.Configuration = import_module(f"{name}.client.configuration").Configuration  # type: ignore[attr-defined]
        client.ApiClient = import_module(f"{name}.client.api_client").ApiClient  # type: ignore[attr-defined]
    loaded = import_module(f"{name}.client")
    return loaded.ApiClient, loaded.Configuration, import_module(f"{name}.config")


ApiClient, Configuration, kube_config = _load()
