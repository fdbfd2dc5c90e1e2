"""Urumi's images: what is built from where under which name, with docker, podman or buildah; `scripts/images`.

The shops' images have the tags of their charts, the server's image the version of charts/platform or another one. The
module runs on a bare Python, because images are also built on machines without the environment.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from urllib.parse import urlsplit

from cluster.errors import ImageError
from cluster.kind.engine import LOOPBACK

NAMES = ("server", "woocommerce", "medusa-backend", "medusa-storefront")
BUILDERS = ("docker", "podman", "buildah")
# Builders know these arguments without a declaration in the Dockerfile, and do not keep them in the image.
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
RESPONSE_SECONDS = 10.0

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Image:
    """One image: its repository and tag, and the folder and the Dockerfile that it is built from."""

    name: str
    repository: str
    tag: str
    context: str
    file: str

    def reference(self, registry: str = "") -> str:
        """Return its name in a registry, or on this machine."""
        return f"{registry}/{self.repository}:{self.tag}" if registry else f"{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Builder:
    """A program that builds images in a checkout; its output goes to standard error."""

    program: str
    root: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def build(self, image: Image, registry: str, report: Report) -> None:
        """Build an image.

        Raises:
            ImageError: it could not be built.
        """
        reference = image.reference(registry)
        command = ["bud" if self.program == "buildah" else "build", "--file", image.file, "--tag", reference]
        if image.name == "server":
            # The charts in the server's image must refer to the pushed images.
            revision = _revision(self.root)
            for argument in (f"VERSION={image.tag}", f"REVISION={revision}", f"STORE_REGISTRY={registry}"):
                command += ["--build-arg", argument]
        for name in _passed_proxies(self.environ):
            command += ["--build-arg", name]
        report(f"Building {reference} with {self.program}.")
        if not self._run(*command, image.context):
            raise ImageError(f"{self.program} could not build {reference}: see its output above.")

    def push(self, reference: str) -> None:
        """Push an image.

        Raises:
            ImageError: it could not be pushed.
        """
        if not self._run("push", reference):
            raise ImageError(f"{self.program} could not push {reference}: see its output above.")

    def _run(self, *words: str) -> bool:
        done = subprocess.run(
            [self.program, *words],
            cwd=self.root,
            # Only BuildKit reads the ignore file beside the Dockerfile.
            env={**self.environ, "DOCKER_BUILDKIT": "1"},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
        )
        return done.returncode == 0


def images(root: Path, names: Sequence[str], server_tag: str, report: Report) -> list[Image]:
    """Return the named images, without names all that have a Dockerfile.

    Raises:
        ImageError: a name is unknown, a Dockerfile is missing or a chart has no version.
    """
    found = [_describe(root, name, server_tag) for name in names or NAMES]
    missing = [image for image in found if not (root / image.file).is_file()]
    for image in missing:
        if names:
            raise ImageError(f"Cannot build {image.name}: {image.file} does not exist.")
        report(f"Skipping {image.name}: {image.file} does not exist.")
    return [image for image in found if image not in missing]


def find_builder() -> str:
    """Return the first builder that responds; the client of Docker is often installed without a running engine.

    Raises:
        ImageError: none responds.
    """
    for program in BUILDERS:
        if which(program) and _responds(program):
            return program
    raise ImageError(
        "No image builder found: docker, podman and buildah do not respond.", hint="Start or install one of them."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `scripts/images` and return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/images", description="Builds the images of Urumi.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; by default all that have a Dockerfile"
    )
    parser.add_argument(
        "--push", metavar="REGISTRY", default="", help="name the images REGISTRY/urumi/... and push them"
    )
    parser.add_argument(
        "--tag", default="", help="the tag of the server's image instead of the version of charts/platform; not latest"
    )
    parser.add_argument("--dry-run", action="store_true", help="only print what would be built")
    given = parser.parse_args(arguments)
    try:
        _build_all(given.names, given.push.rstrip("/"), given.tag, given.dry_run)
    except ImageError as error:
        _report(f"scripts/images: {error.sentence()}")
        return 1
    return 0


def _build_all(names: Sequence[str], registry: str, server_tag: str, dry_run: bool) -> None:
    root = Path(__file__).resolve().parents[2]
    if server_tag.startswith("latest"):
        raise ImageError(f"Tag '{server_tag}' rejected: expected a fixed version.", hint="Set --tag to a version.")
    chosen = images(root, names, server_tag, _report)
    builder = None if dry_run else Builder(find_builder(), root)
    for image in chosen:
        reference = image.reference(registry)
        if builder:
            builder.build(image, registry, _report)
            if registry:
                builder.push(reference)
        print(f"{image.name} {reference}", flush=True)  # noqa: T201
    if registry:
        _report(f"Set image.repository: {registry}/urumi/urumi in your values for charts/platform.")


def _describe(root: Path, name: str, server_tag: str) -> Image:
    match name:
        case "server":
            tag = server_tag or _version(root, "platform")
            return Image(name, "urumi/urumi", tag, ".", "server/Dockerfile")
        case "woocommerce":
            folder = "charts/woocommerce"
            return Image(name, "urumi/woocommerce", _version(root, name), folder, f"{folder}/image/Dockerfile")
        case "medusa-backend" | "medusa-storefront":
            folder = f"charts/medusa/image/{name.removeprefix('medusa-')}"
            return Image(name, f"urumi/{name}", _version(root, "medusa"), folder, f"{folder}/Dockerfile")
        case _:
            raise ImageError(f"Unknown image '{name}': expected one of {' '.join(NAMES)}.")


def _version(root: Path, chart: str) -> str:
    """Return the appVersion of a chart."""
    path = root / "charts" / chart / "Chart.yaml"
    found = re.search(r'^appVersion: *"?([^"\s]+)"?$', path.read_text() if path.is_file() else "", re.MULTILINE)
    if found is None:
        raise ImageError(f"No version found in charts/{chart}/Chart.yaml: expected a line with appVersion.")
    return found[1]


def _passed_proxies(environ: Mapping[str, str]) -> Iterable[str]:
    """Return the proxy variables for a build; a proxy on the loopback address cannot be reached from one."""
    return [
        name for name in PROXIES if (url := environ.get(name)) and not LOOPBACK.fullmatch(urlsplit(url).hostname or "")
    ]


def _responds(program: str) -> bool:
    try:
        done = subprocess.run(
            [program, "info"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=RESPONSE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _revision(root: Path) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
