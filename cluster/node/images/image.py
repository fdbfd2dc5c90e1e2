"""The images of the node: built by buildah from Debian and npm packages, kept as archives in the cache.

They replace the official images under the names that the charts use, with the same contract (variables, users,
folders), because no image registry is used. An archive is named after a digest of all its inputs, including its base
images, so exactly the images whose inputs change are rebuilt.
"""

import hashlib
import resource
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cluster.lock import file_lock
from cluster.node.errors import NodeError
from cluster.node.folders import node_cache
from cluster.node.host import run
from cluster.node.images.context import context_digest, copy_context, open_context
from cluster.node.node import Node

BUILD_SECONDS = 1200.0
OPEN_FILES = 65536


@dataclass(frozen=True, slots=True)
class Image:
    """An image to build: its name for pods, its context, and the images it needs by the names in its Dockerfile.

    `prepare` adds files to the copy of the context; `key` identifies them in the digest. `ignore_file` selects files of
    the context. With `pulled`, the image is fetched from there and not built. `options` are further arguments for
    buildah that do not affect the content: caches, mirrors.
    """

    name: str
    context: Path
    file: str = "Containerfile"
    needs: Mapping[str, "Image"] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], None] = lambda folder: None
    key: str = ""
    ignore_file: Path | None = None
    options: Callable[[], Sequence[str]] = list
    pulled: str = ""

    @property
    def digest(self) -> str:
        """A digest of all inputs of the image."""
        arguments = sorted(self.arguments.items())
        found = hashlib.sha256(f"{self.name}\0{self.file}\0{self.key}{self.pulled}\0{arguments}\0".encode())
        if not self.pulled:
            found.update(context_digest(self.context, self.ignore_file).encode())
        for alias, image in sorted(self.needs.items()):
            found.update(f"{alias}\0{image.digest}\0".encode())
        return found.hexdigest()[:16]

    @property
    def local_name(self) -> str:
        """The name in buildah's storage."""
        return f"localhost/urumi-node:{self.digest}"

    @property
    def archive(self) -> Path:
        """The path of the built image."""
        plain = self.name.rpartition("/")[2].replace(":", "-")
        return node_cache() / "images" / f"{plain}-{self.digest}.tar"

    def full_name(self) -> str:
        """Return the name that the container runtime uses."""
        first, _, rest = self.name.partition("/")
        if not rest:
            return f"docker.io/library/{self.name}"
        return self.name if "." in first or first == "localhost" else f"docker.io/{self.name}"


def ensure_images(images: Sequence[Image], say: Callable[[str], None]) -> None:
    """Build the images whose archives are missing.

    Raises:
        NodeError: a build failed; quotes the end of its output.
    """
    if all(image.archive.exists() for image in images):
        return
    cache = node_cache()
    (cache / "images").mkdir(parents=True, exist_ok=True)
    with file_lock(cache / "images.lock", lambda: say("Waiting for another process that is building images.")):
        for image in images:
            if not image.archive.exists():
                _build(image, say)
                _archive(image)


def provide(image: Image, name: str, say: Callable[[str], None]) -> None:
    """Keep an image in buildah's storage under a name, for a build that names it as its base."""
    with file_lock(node_cache() / "images.lock", lambda: say("Waiting for another process that is building images.")):
        if not _is_built(image):
            _build(image, say)
        run_buildah("tag", image.local_name, name)


def load_images(node: Node, images: Sequence[Image], say: Callable[[str], None]) -> None:
    """Build the missing images and import every image into the node."""
    ensure_images(images, say)
    for image in images:
        node.containers.load(image.archive)


def _build(image: Image, say: Callable[[str], None]) -> None:
    if image.pulled:
        say(f"Fetching the image {image.name}.")
        run_buildah("pull", "--quiet", image.pulled)
        run_buildah("tag", image.full_name(), image.local_name)
        return
    for alias, needed in image.needs.items():
        if not _is_built(needed):
            _build(needed, say)
        run_buildah("tag", needed.local_name, alias)
    say(f"Building the image {image.name}.")
    context = node_cache() / "build" / image.digest
    shutil.rmtree(context, ignore_errors=True)
    copy_context(image.context, context, image.ignore_file)
    try:
        image.prepare(context)
        open_context(context)
        arguments = [word for name, value in image.arguments.items() for word in ("--build-arg", f"{name}={value}")]
        run_buildah(
            *("build", "--isolation", "chroot", "--pull-never", "--layers=false", "--tag", image.local_name),
            *("--ulimit", f"nofile={open_files()}", *arguments, *image.options()),
            *("--file", str(context / image.file), str(context)),
        )
    finally:
        shutil.rmtree(context, ignore_errors=True)


def open_files() -> str:
    """Return the limit of open files of a build; npm unpacks all packages at once, and 1,024 files are too few."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = OPEN_FILES if most == resource.RLIM_INFINITY else min(most, OPEN_FILES)
    return f"{files}:{files}"


def _archive(image: Image) -> None:
    partial = image.archive.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    run_buildah("push", "--quiet", image.local_name, f"docker-archive:{partial}:{image.full_name()}")
    for old in image.archive.parent.glob(f"{image.archive.stem.rpartition('-')[0]}-{'?' * 16}.tar"):
        old.unlink()
        # The image may come from another cache's archive, or be the base of others.
        with suppress(NodeError):
            run_buildah("rmi", f"localhost/urumi-node:{old.stem[-16:]}")
    partial.rename(image.archive)


def _is_built(image: Image) -> bool:
    try:
        run_buildah("inspect", "--type", "image", image.local_name)
    except NodeError:
        return False
    return True


def run_buildah(*words: str, timeout_seconds: float = BUILD_SECONDS) -> None:
    """Run buildah with the storage of the cache.

    Raises:
        NodeError: it failed, or took too long.
    """
    storage = node_cache() / "buildah"
    # In a separate mount namespace, so that an interrupted build leaves no mount on the machine.
    run(
        *("unshare", "--mount", "--propagation", "private", "buildah"),
        *("--root", str(storage / "root"), "--runroot", str(storage / "run"), "--storage-driver", "overlay", *words),
        timeout_seconds=timeout_seconds,
    )
