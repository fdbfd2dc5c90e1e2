"""A third engine, added as docs/engines.md describes it, through its whole life on the local cluster.

The test copies the source, adds the engine to the copy, and runs the server from there. So it also proves what adding
an engine touches: a module, a chart, one line of the enum, and the enum of the Store definition.
"""

import filecmp
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.local.cluster import ClusterInfo
from testing.kubectl import Kubectl, wait_for
from testing.serve import ServerProcess

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(__file__).with_name("page")
SOURCES = ("urumi", "reconciler", "server", "charts", "crds", "scripts")
ENUM_LINE = '    PAGE = "page", "Page", "nginx with one page"\n'
LAST_ENGINE = '    MEDUSA = "medusa", "Medusa", "Node.js with PostgreSQL and Redis"\n'


class ServerFromCopy(ServerProcess):
    """A server that imports Urumi from PYTHONPATH, whatever the working directory is."""

    python = (sys.executable, "-P")


def replace_once(path: Path, old: str, new: str) -> None:
    """Replace the only occurrence of a text in a file."""
    text = path.read_text()
    assert text.count(old) == 1, f"{path} should contain {old!r} once"
    path.write_text(text.replace(old, new))


def files_below(folder: Path) -> set[Path]:
    """Return the files of a copy or of the checkout, relative to it."""
    return {
        path.relative_to(folder)
        for name in SOURCES
        for path in (folder / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "image" not in path.parts
    }


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source to which the engine was added."""
    copy = tmp_path_factory.mktemp("copy")
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "image"))
    shutil.copy(PAGE / "page.py", copy / "reconciler" / "engines")
    shutil.copytree(PAGE / "chart", copy / "charts" / "page")
    replace_once(copy / "urumi" / "store.py", LAST_ENGINE, LAST_ENGINE + ENUM_LINE)
    replace_once(copy / "crds" / "stores.yaml", "enum: [woocommerce, medusa]", "enum: [woocommerce, medusa, page]")
    subprocess.run([sys.executable, str(copy / "scripts" / "charts.py")], check=True)
    return copy


@pytest.fixture(scope="module")
def server(
    local_cluster: ClusterInfo, kubectl: Kubectl, copy: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """The server of the copy, in a cluster with the copy's Store definition."""
    kubectl.run("apply", "-f", str(copy / "crds" / "stores.yaml"))
    folder = tmp_path_factory.mktemp("third")
    with ServerFromCopy(local_cluster, kubectl, folder, PYTHONPATH=str(copy)) as server:
        yield server
    kubectl.run("apply", "-f", str(ROOT / "crds" / "stores.yaml"))


def page_of(kubectl: Kubectl, store_id: str) -> str:
    """Return the page of a store."""
    return str(kubectl.get("configmap", "page", f"store-{store_id}")["data"]["index.html"])


def test_adding_an_engine_touches_its_module_its_chart_and_the_enum(copy: Path) -> None:
    changed = {
        name.as_posix()
        for name in files_below(ROOT) | files_below(copy)
        if not (copy / name).is_file()
        or not (ROOT / name).is_file()
        or not filecmp.cmp(copy / name, ROOT / name, shallow=False)
    }
    assert {name for name in changed if not name.startswith("charts/page/")} == {
        "reconciler/engines/page.py",
        "urumi/store.py",
        "crds/stores.yaml",
        "charts/platform/files/stores.yaml",  # written by scripts/charts.py
    }


def test_the_chart_passes_the_chart_tools(local_cluster: ClusterInfo, copy: Path) -> None:
    chart = str(copy / "charts" / "page")
    done = subprocess.run([str(local_cluster.helm), "lint", "--strict", chart], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_web_page_offers_the_engine(server: ServerProcess) -> None:
    with urllib.request.urlopen(server.url, timeout=10) as response:
        assert 'name="engine" value="page" data-name="Page"' in response.read().decode()


def test_a_store_of_the_engine_is_created_changed_and_deleted(
    server: ServerProcess, kubectl: Kubectl, store_id: str
) -> None:
    server.create(store_id, "page")
    store = server.wait_for_phase(store_id, "Ready")
    assert store["engine"] == "page"
    assert store["releaseName"] == f"page-{store_id}"
    assert "web 1/1" in store["events"][-1]["message"]
    assert page_of(kubectl, store_id) == "<h1>Hello</h1>"
    assert list(kubectl.get("secret", "store-secrets", f"store-{store_id}")["data"]) == ["page-key"]

    status, account = server.call("POST", f"/stores/{store_id}/credentials")
    assert (status, account["username"]) == (200, f"admin@{store_id}.127.0.0.1.nip.io")
    assert account["adminUrl"] == f"{store['url']}/admin"

    patch = json.dumps({"spec": {"values": {"page": {"title": "Changed"}}}})
    kubectl.run("patch", "store", store_id, "-n", server.namespace, "--type=merge", "-p", patch)

    def changed() -> Any:
        now = server.store(store_id)
        return now if now["phase"] == "Ready" and now["observedGeneration"] > store["generation"] else None

    assert wait_for(changed, "the store to be Ready again")["release"]["revision"] == 2
    assert page_of(kubectl, store_id) == "<h1>Changed</h1>"

    server.call("DELETE", f"/stores/{store_id}")
    server.wait_until_gone(store_id)
    assert kubectl.get("namespace", f"store-{store_id}") is None


def test_the_interface_lists_the_engine(server: ServerProcess) -> None:
    status, document = server.call("GET", "/openapi.json")
    assert status == 200
    assert document["components"]["schemas"]["Engine"]["enum"] == ["woocommerce", "medusa", "page"]


def test_an_unknown_engine_is_still_refused(server: ServerProcess, store_id: str) -> None:
    status, problem = server.call("POST", "/stores", {"storeId": store_id, "engine": "pages"})
    assert status == 422, problem
