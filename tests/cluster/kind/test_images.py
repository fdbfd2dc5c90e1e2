"""scripts/images: the selected builder, the names of the images, and what is refused; the builders are substitutes."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from cluster.kind.images import NAMES

SOURCE = Path(__file__).resolve().parents[3]
BUILDER = '#!/bin/bash\necho "${0##*/} $*" >>"$CALLS"\n[ "$1" != "${FAILS:-}" ] || exit 1\n'
DEAD = '#!/bin/bash\n[ "$1" != info ]\n'
FOLDERS = ("charts/woocommerce/image", "charts/medusa/image/backend", "charts/medusa/image/storefront")
# The script must run on a Python without an environment, so it may import nothing else.
MODULES = ("__init__.py", "errors.py", "kind/__init__.py", "kind/engine.py", "kind/images.py")


@dataclass(frozen=True)
class Done:
    """The result of a run."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.splitlines()


class Checkout:
    """The files that the script reads, in a separate folder with a space in its name."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin, self._calls = folder / "a checkout", folder / "bin", folder / "calls"
        self.bin.mkdir()
        self._calls.touch()
        for name in ("scripts/images", *(f"cluster/{name}" for name in MODULES)):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCE / name, self.root / name)
        for chart, version in (("platform", "1.2.3"), ("woocommerce", "10.5.1"), ("medusa", "2.21.2")):
            path = self.root / "charts" / chart / "Chart.yaml"
            path.parent.mkdir(parents=True)
            path.write_text(f'version: 9.9.9\nappVersion: "{version}"\n')
        for name in ("server", *FOLDERS):
            (self.root / name).mkdir(parents=True, exist_ok=True)
            (self.root / name / "Dockerfile").touch()
        for tool in ("dirname", "sh"):
            (self.bin / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
        (self.bin / "python3").symlink_to(Path(sys.executable).resolve())

    def put(self, name: str, text: str) -> None:
        """Write a program."""
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def run(self, *arguments: str, **environ: str) -> Done:
        """Run the script from another folder."""
        done = subprocess.run(
            [self.root / "scripts" / "images", *arguments],
            env={"PATH": str(self.bin), "CALLS": str(self._calls), **environ},
            cwd=self.root.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def calls(self, start: str) -> list[str]:
        """Return the calls of a builder that start with these words."""
        return [line for line in self._calls.read_text().splitlines() if line.startswith(start)]


@pytest.fixture
def images(tmp_path: Path) -> Checkout:
    """A checkout with a Dockerfile for every image, and no builder."""
    return Checkout(tmp_path)


def test_every_image_is_built_under_the_name_in_its_chart(images: Checkout) -> None:
    images.put("docker", BUILDER)
    done = images.run()

    assert done.code == 0, done.err
    assert done.lines == [
        "server urumi/urumi:1.2.3",
        "woocommerce urumi/woocommerce:10.5.1",
        "medusa-backend urumi/medusa-backend:2.21.2",
        "medusa-storefront urumi/medusa-storefront:2.21.2",
    ]
    built = images.calls("docker build")
    assert [line.split()[-1] for line in built] == [".", "charts/woocommerce", *FOLDERS[1:]]
    assert "--file server/Dockerfile --tag urumi/urumi:1.2.3 --build-arg VERSION=1.2.3" in built[0]
    assert images.calls("docker push") == []


def test_the_charts_of_the_shops_use_the_same_names() -> None:
    for chart, parts in (("woocommerce", ["wordpress"]), ("medusa", ["backend", "storefront"])):
        values = yaml.safe_load((SOURCE / "charts" / chart / "values.yaml").read_text())
        for part in parts:
            image = values[part]["image"]
            assert image["tag"] == ""
            assert image["repository"].split("/")[1] in NAMES


def test_a_docker_without_its_engine_is_skipped(images: Checkout) -> None:
    images.put("docker", DEAD)
    images.put("buildah", BUILDER)
    assert images.run("server").code == 0
    assert images.calls("buildah")[-1].startswith("buildah bud --file server/Dockerfile")


def test_without_a_builder_the_supported_ones_are_listed(images: Checkout) -> None:
    done = images.run("server")
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith(
        "No image builder found: docker, podman and buildah do not respond. Start or install one of them.\n"
    )


def test_a_registry_is_part_of_the_name_and_of_the_charts_inside(images: Checkout) -> None:
    images.put("podman", BUILDER)
    done = images.run("--push", "registry.example.com/", "--tag", "1.2.4", "server")
    reference = "registry.example.com/urumi/urumi:1.2.4"
    assert done.lines == [f"server {reference}"]
    assert "--build-arg STORE_REGISTRY=registry.example.com" in images.calls("podman build")[0]
    assert images.calls("podman push") == [f"podman push {reference}"]
    assert "Set image.repository: registry.example.com/urumi/urumi" in done.err


def test_a_build_that_fails_ends_it_before_anything_is_pushed(images: Checkout) -> None:
    images.put("docker", BUILDER)
    done = images.run("--push", "r.example.com", FAILS="build")
    assert (done.code, done.out) == (1, "")
    assert "docker could not build r.example.com/urumi/urumi:1.2.3" in done.err.splitlines()[-1]
    assert images.calls("docker push") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("wordpress",), "Unknown image 'wordpress': expected one of server"),
        (("--tag", "latest"), "Tag 'latest' rejected: expected a fixed version"),
    ],
)
def test_an_unknown_image_is_refused_by_name(images: Checkout, arguments: tuple[str, ...], words: str) -> None:
    done = images.run(*arguments)
    assert done.code == 1
    assert words in done.err


def test_a_missing_dockerfile_is_reported_before_anything_is_built(images: Checkout) -> None:
    images.put("docker", BUILDER)
    (images.root / FOLDERS[0] / "Dockerfile").unlink()
    assert (
        f"Cannot build woocommerce: {FOLDERS[0]}/Dockerfile does not exist." in images.run("server", "woocommerce").err
    )
    assert images.calls("docker build") == []


def test_without_names_an_image_without_a_dockerfile_is_skipped_and_reported(images: Checkout) -> None:
    images.put("docker", BUILDER)
    (images.root / FOLDERS[0] / "Dockerfile").unlink()
    done = images.run()
    assert done.code == 0
    assert [line.split()[0] for line in done.lines] == ["server", "medusa-backend", "medusa-storefront"]
    assert f"Skipping woocommerce: {FOLDERS[0]}/Dockerfile does not exist." in done.err


def test_a_proxy_reaches_the_build_unless_it_is_on_the_loopback_address(images: Checkout) -> None:
    images.put("docker", BUILDER)
    images.run("woocommerce", https_proxy="http://proxy.example.com:3128", HTTP_PROXY="http://127.0.0.1:3128")
    [build] = images.calls("docker build")
    assert "--build-arg https_proxy " in build
    assert "HTTP_PROXY" not in build
    # The value, which may contain a password, is not on the command line.
    assert "proxy.example.com" not in build


def test_an_old_python_is_named(images: Checkout) -> None:
    images.put("old-python", "#!/bin/sh\nexit 1\n")
    done = images.run(URUMI_PYTHON="old-python")
    assert (done.code, done.out) == (1, "")
    assert done.err == "scripts/images: old-python is not Python 3.11 or newer. Set URUMI_PYTHON to one.\n"
