"""scripts/images: the selected builder, the names of the images, and what is refused; the builders are substitutes."""

import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.setup.checkout import SOURCE, Checkout, Done, write_program

BUILDER = '#!/bin/bash\necho "$(basename "$0") $*" >>"$CALLS"\n[ "$1" != "${FAILS:-}" ] || exit 1\n'
DEAD = '#!/bin/bash\n[ "$1" != info ]\n'
FOLDERS = ("charts/woocommerce/image", "charts/medusa/image/backend", "charts/medusa/image/storefront")


@pytest.fixture
def images(checkout: Checkout) -> Checkout:
    """A checkout with a Dockerfile for every image, and a timeout that runs its command."""
    for chart, version in (("platform", "1.2.3"), ("woocommerce", "10.5.1"), ("medusa", "2.21.2")):
        path = checkout.root / "charts" / chart / "Chart.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(f'version: 9.9.9\nappVersion: "{version}"\n')
    for folder in ("server", *FOLDERS):
        (checkout.root / folder).mkdir(parents=True, exist_ok=True)
        (checkout.root / folder / "Dockerfile").touch()
    write_program(checkout.root / "scripts" / "images", (SOURCE / "scripts" / "images").read_text())
    checkout.stand_in("timeout", '#!/bin/bash\nshift\n"$@"\n')
    checkout.stand_in("basename", "/usr/bin/basename")
    return checkout


def run(images: Checkout, *arguments: str, **environ: str) -> Done:
    """Run the script."""
    return images.run(*arguments, program="scripts/images", **environ)


def test_every_image_is_built_under_the_name_in_its_chart(images: Checkout) -> None:
    images.stand_in("docker", BUILDER)
    done = run(images)

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
    script = (SOURCE / "scripts" / "images").read_text()
    for chart, parts in (("woocommerce", ["wordpress"]), ("medusa", ["backend", "storefront"])):
        values = yaml.safe_load((SOURCE / "charts" / chart / "values.yaml").read_text())
        for part in parts:
            image = values[part]["image"]
            assert image["tag"] == ""
            assert image["repository"].split("/")[1] in re.findall(r"woocommerce|medusa-\w+", script)


def test_a_docker_without_its_engine_is_skipped(images: Checkout) -> None:
    images.stand_in("docker", DEAD)
    images.stand_in("buildah", BUILDER)
    assert run(images, "server").code == 0
    assert images.calls("buildah")[-1].startswith("buildah bud --file server/Dockerfile")


def test_without_a_builder_the_supported_ones_are_listed(images: Checkout) -> None:
    done = run(images, "server")
    assert (done.code, done.out) == (1, "")
    assert done.sentence.endswith(
        "No image builder found: docker, podman and buildah do not respond. Start or install one of them."
    )


def test_a_registry_is_part_of_the_name_and_of_the_charts_inside(images: Checkout) -> None:
    images.stand_in("podman", BUILDER)
    done = run(images, "--push", "registry.example.com/", "--tag", "1.2.4", "server")
    reference = "registry.example.com/urumi/urumi:1.2.4"
    assert done.lines == [f"server {reference}"]
    assert "--build-arg STORE_REGISTRY=registry.example.com" in images.calls("podman build")[0]
    assert images.calls("podman push") == [f"podman push {reference}"]
    assert "Set image.repository: registry.example.com/urumi/urumi" in done.err


def test_a_build_that_fails_ends_it_before_anything_is_pushed(images: Checkout) -> None:
    images.stand_in("docker", BUILDER)
    done = run(images, "--push", "r.example.com", FAILS="build")
    assert (done.code, done.out) == (1, "")
    assert "docker could not build r.example.com/urumi/urumi:1.2.3" in done.sentence
    assert images.calls("docker push") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("wordpress",), "Unknown image 'wordpress': expected one of server"),
        (("--tag", "latest"), "Tag 'latest' rejected: expected a fixed version"),
    ],
)
def test_an_unknown_image_is_refused_by_name(images: Checkout, arguments: tuple[str, ...], words: str) -> None:
    done = run(images, *arguments)
    assert done.code == 1
    assert words in done.err


def test_a_missing_dockerfile_is_reported_before_anything_is_built(images: Checkout) -> None:
    images.stand_in("docker", BUILDER)
    (images.root / FOLDERS[0] / "Dockerfile").unlink()
    assert (
        f"Cannot build woocommerce: {FOLDERS[0]}/Dockerfile does not exist." in run(images, "server", "woocommerce").err
    )
    assert images.calls("docker build") == []


def test_without_names_an_image_without_a_dockerfile_is_skipped_and_reported(images: Checkout) -> None:
    images.stand_in("docker", BUILDER)
    (images.root / FOLDERS[0] / "Dockerfile").unlink()
    done = run(images)
    assert done.code == 0
    assert [line.split()[0] for line in done.lines] == ["server", "medusa-backend", "medusa-storefront"]
    assert f"Skipping woocommerce: {FOLDERS[0]}/Dockerfile does not exist." in done.err


# --- The server's image


def locked() -> dict[str, str]:
    """Return the version of every package in the image, by its name."""
    pins = re.findall(r"^([a-z0-9.-]+)==(\S+) \\\n    --hash=sha256:", requirements(), re.MULTILINE)
    return dict(pins)


def requirements() -> str:
    """Return the lock."""
    return (SOURCE / "server" / "requirements.txt").read_text()


def test_the_lock_has_every_dependency_in_its_range() -> None:
    declared = re.search(r"^dependencies = \[\n(.*?)^\]", (SOURCE / "pyproject.toml").read_text(), re.M | re.S)
    assert declared is not None
    wanted = [Requirement(text) for text in re.findall(r'^  "(.+?)"', declared[1], re.M)]
    found = locked()
    wrong = [str(each) for each in wanted if found.get(canonicalize_name(each.name), "none") not in each.specifier]
    assert len(wanted) > 5
    assert not wrong, f"server/requirements.txt lacks {wrong}: run scripts/lock"


def test_every_package_of_the_lock_has_a_checksum() -> None:
    assert len(locked()) == len(re.findall(r"^\S+==", requirements(), re.M)) > 30


@pytest.mark.parametrize("name", ["GO_IMAGE", "PYTHON_IMAGE"])
def test_a_base_image_has_an_exact_tag_and_can_be_replaced(name: str) -> None:
    dockerfile = (SOURCE / "server" / "Dockerfile").read_text()
    [image] = re.findall(rf"^ARG {name}=(\S+)$", dockerfile, re.M)
    assert re.fullmatch(r"\S+:\d+\.\d+\.\d+-[a-z-]+", image)
    assert f"FROM ${{{name}}}" in dockerfile


def test_the_image_has_the_user_and_the_charts_that_the_chart_expects() -> None:
    dockerfile = (SOURCE / "server" / "Dockerfile").read_text()
    values = yaml.safe_load((SOURCE / "charts" / "platform" / "values.yaml").read_text())
    assert f"USER {values['runAsUser']}:{values['runAsUser']}" in dockerfile
    assert "COPY charts /usr/share/urumi/charts" in dockerfile
    for engine in ("woocommerce", "medusa"):
        assert (Path(SOURCE) / "charts" / engine / "Chart.yaml").is_file()
