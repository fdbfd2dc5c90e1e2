"""The built wheel in a fresh environment, outside the checkout: what `pip install urumi` gives to a person.

    checkout -> sdist -> wheel -> pip install (dependencies from the package index) -> urumi cluster up, serve, create

The cluster has its own state directory and uses the cached programs. The tests take about half a minute.
"""

import json
import os
import re
import shutil
import subprocess
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.folders import cache_root
from testing.kubectl import wait_for
from testing.serve import free_port

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("urumi", "reconciler", "server", "tui", "cluster")
FILES = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
TOKEN = "a-token-of-the-test"

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Environment:
    """A virtual environment in a folder that holds nothing else of the project."""

    folder: Path
    environ: dict[str, str]

    @property
    def programs(self) -> Path:
        """The folder of the environment's programs."""
        return self.folder / "venv" / "bin"

    def run(self, program: str, *arguments: str, seconds: float = 300.0) -> "subprocess.CompletedProcess[str]":
        """Run a program of the environment to its end."""
        return subprocess.run(
            [str(self.programs / program), *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def output(self, program: str, *arguments: str) -> str:
        """Return what a program printed; the test fails if the program does."""
        done = self.run(program, *arguments)
        assert done.returncode == 0, f"{program} {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A fresh environment; no variable of the test run leads back to the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "URUMI", "VIRTUAL"))}
    venv.create(folder / "venv", with_pip=True)
    environ = kept | {
        "HOME": str(folder),
        "URUMI_STATE_DIR": str(folder / "state"),
        "URUMI_CACHE_DIR": str(cache_root()),
        "URUMI_TOKEN": TOKEN,
        "URUMI_URL": f"http://127.0.0.1:{free_port()}",
    }
    return Environment(folder, environ)


@pytest.fixture(scope="module")
def sdist(environment: Environment) -> Path:
    """The source distribution of the checkout, built from a copy so that the checkout stays clean."""
    copy = environment.folder / "source"
    for name in (*PACKAGES, "charts", "crds", "scripts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    environment.output("pip", "install", "--quiet", "setuptools>=77")
    build = f"import os; os.chdir({str(copy)!r}); from setuptools import build_meta; build_meta.build_sdist('dist')"
    environment.output("python", "-c", build)
    [archive] = (copy / "dist").glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def wheel(environment: Environment, sdist: Path) -> Path:
    """The wheel that pip builds from the source distribution."""
    environment.output("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "wheels", str(sdist))
    [wheel] = (environment.folder / "wheels").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(environment: Environment, wheel: Path) -> Environment:
    """The environment with the wheel and its dependencies, and without the sources."""
    environment.output("pip", "install", "--quiet", str(wheel))
    shutil.rmtree(environment.folder / "source")
    return environment


@pytest.fixture
def kubeconfig(cluster_programs: None, installed: Environment) -> Iterator[tuple[str, Path]]:
    """The kubeconfig of a cluster that the installed command brought up, and the folder of its programs."""
    done = installed.run("urumi", "cluster", "up")
    try:
        assert done.returncode == 0, done.stderr
        [programs] = re.findall(r"kubectl and helm: (.+)", done.stderr)
        yield done.stdout.strip(), Path(programs)
    finally:
        installed.output("urumi", "cluster", "down", "--purge")


def relative(names: list[str], folder: str) -> set[str]:
    """The files below a folder of an archive, relative to it."""
    return {name.partition(f"{folder}/")[2] for name in names if f"{folder}/" in name and not name.endswith("/")}


def test_the_wheel_holds_what_helm_reads_of_each_engine_and_the_store_definition(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    expected = {
        path.relative_to(ROOT / "charts").as_posix()
        for engine in ("medusa", "woocommerce")
        for path in (ROOT / "charts" / engine).rglob("*")
        if path.is_file() and path.relative_to(ROOT / "charts" / engine).parts[0] not in ("image", "ci")
    }
    assert relative(names, "reconciler/charts") == expected
    assert relative(names, "reconciler/crds") == {"stores.yaml"}
    assert not [name for name in names if name.startswith(("charts/", "crds/", "scripts/", "tests/"))]


def test_the_source_distribution_holds_no_image_sources(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert relative(names, "crds") == {"stores.yaml"}
    assert any(name.endswith("charts/platform/Chart.yaml") for name in names)
    assert not [name for name in names if "/image/" in name]


def test_the_programs_start_and_the_charts_are_those_of_the_package(installed: Environment) -> None:
    assert installed.output("urumi", "--version").startswith("urumi ")
    assert "usage: urumi-tui" in installed.output("urumi-tui", "--help")
    charts = installed.output("python", "-c", "from reconciler.settings import Settings; print(Settings().charts_dir)")
    assert Path(charts).is_relative_to(installed.folder / "venv")
    assert str(ROOT) not in installed.output("python", "-c", "import urumi, sys; print(urumi.__file__, sys.path)")


def test_a_store_of_each_engine_is_provisioned_from_the_installed_package(
    installed: Environment, kubeconfig: tuple[str, Path]
) -> None:
    port = installed.environ["URUMI_URL"].rpartition(":")[2]
    arguments = ["--port", port, "--kubeconfig", kubeconfig[0], "--helm", str(kubeconfig[1] / "helm")]
    log = installed.folder / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [str(installed.programs / "urumi"), "serve", "--install", *arguments],
            cwd=installed.folder,
            env=installed.environ,
            stdout=out,
            stderr=out,
        )
    try:
        wait_for(lambda: installed.run("urumi", "list").returncode == 0 or server.poll() is not None, "the server")
        assert server.poll() is None, log.read_text()[-2000:]
        for engine in ("woocommerce", "medusa"):
            installed.output("urumi", "create", f"shop-{engine}", "--engine", engine, "--wait")
        stores = json.loads(installed.output("urumi", "list", "--json"))["items"]
        assert {(store["storeId"], store["phase"]) for store in stores} == {
            ("shop-woocommerce", "Ready"),
            ("shop-medusa", "Ready"),
        }
    finally:
        server.terminate()
        assert server.wait(timeout=60) == 0, log.read_text()[-2000:]
