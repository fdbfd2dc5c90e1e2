"""The folder from which Traefik is built, and the files of its module that the cluster needs.

go.mod replaces one dependency, the ACME client, by a copy without its DNS providers. The copy is made from Go's module
cache, after the checksum of the module was compared with go.sum. The folder gets its name when it is complete.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from cluster.folders import cache_root
from cluster.lock import file_lock
from cluster.node.errors import NodeError
from cluster.node.folders import node_cache
from cluster.node.host import run
from cluster.programs.binaries import Recipe
from cluster.programs.golang.toolchain import find_go, minimum_version

HERE = Path(__file__).resolve().parent
TRAEFIK = "github.com/traefik/traefik/v3"
ACME_CLIENT = "github.com/go-acme/lego/v4"
PROVIDERS = Path("providers", "dns")
STAND_IN = HERE / "dns_providers.go.txt"
DEFINITIONS = "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"
RIGHTS = "docs/content/reference/dynamic-configuration/kubernetes-crd-rbac.yml"
DOWNLOAD_SECONDS = 600.0

Say = Callable[[str], None]


def ingress_source(say: Say) -> Path:
    """Return the folder, with go.mod, definitions.yaml and rights.yaml; it is made if it is not in the cache.

    Raises:
        NodeError: a module could not be downloaded, or its checksum is not the pinned one.
    """
    parts = [path.read_bytes() for path in (HERE / "go.mod", HERE / "go.sum", STAND_IN)]
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
    folder = node_cache() / "ingress" / digest
    with file_lock(node_cache() / "ingress.lock", lambda: say("Waiting for another process that prepares Traefik.")):
        if not folder.exists():
            _make(folder, say)
    return folder


def ingress_recipe(say: Say) -> Recipe:
    """Return how Traefik is built."""
    return Recipe.read(ingress_source(say))


def _make(folder: Path, say: Say) -> None:
    traefik, acme_client = (_module(path, say) for path in (TRAEFIK, ACME_CLIENT))
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(acme_client, partial / "lego", ignore=_without_providers(acme_client), copy_function=_copy)
    providers = partial / "lego" / PROVIDERS
    providers.mkdir(parents=True)
    _copy(STAND_IN, providers / "providers.go")
    for name in ("go.mod", "go.sum"):
        _copy(HERE / name, partial / name)
    _copy(traefik / DEFINITIONS, partial / "definitions.yaml")
    _copy(traefik / RIGHTS, partial / "rights.yaml")
    partial.rename(folder)


def _module(path: str, say: Say) -> Path:
    """Return the folder of a module in Go's cache, after its checksum was compared."""
    version = _pinned(rf"^\t?(?:require )?{re.escape(path)} (v\S+)", HERE / "go.mod")
    expected = _pinned(rf"^{re.escape(path)} {re.escape(version)} (h1:\S+)", HERE / "go.sum")
    go = find_go(minimum_version((HERE / "go.mod").read_text()), cache_root(), say).command
    with tempfile.TemporaryDirectory() as empty:
        # In an empty folder, because here go.mod replaces the module.
        download = ("env", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", go, "mod", "download", "-json")
        answer = run(*download, f"{path}@{version}", cwd=Path(empty), timeout_seconds=DOWNLOAD_SECONDS)
    found = json.loads(answer)
    if found.get("Sum") != expected:
        raise NodeError(
            f"The Go module {path} {version} has the checksum {found.get('Sum')}, expected {expected}.",
            hint="Check GOPROXY: it delivers another module than the pinned one.",
        )
    return Path(found["Dir"])


def _pinned(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text(), re.MULTILINE)
    if found is None:
        raise NodeError(f"{path} pins nothing that matches {pattern}.")
    return found[1]


def _without_providers(module: Path) -> Callable[[str, list[str]], list[str]]:
    def ignored(folder: str, names: list[str]) -> list[str]:
        is_parent = Path(folder) == (module / PROVIDERS).parent
        return [name for name in names if (is_parent and name == PROVIDERS.name) or name.endswith("_test.go")]

    return ignored


def _copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    # Not `copy2`, because the files of Go's cache are read-only.
    shutil.copyfile(source, target)
