"""Whether official images can be had: the smallest one is fetched, through the machine's own configuration."""

from functools import cache

from cluster.node.errors import NodeError
from cluster.node.images.image import Image, run_buildah

SMALLEST = "docker://docker.io/library/hello-world:latest"
ANSWER_SECONDS = 15.0


@cache
def registry_answers() -> bool:
    """Return whether the registry of the official images responds; asked once in a run."""
    try:
        run_buildah("pull", "--quiet", SMALLEST, timeout_seconds=ANSWER_SECONDS)
    except NodeError:
        return False
    return True


def official(image: Image) -> Image:
    """Return the official image in place of the one that is built under its name."""
    return Image(image.name, image.context, pulled=f"docker://{image.full_name()}")


def choose(image: Image) -> Image:
    """Return the official image if it can be had, otherwise the one that is built here.

    An image that is in the cache stays the same, so that a start needs no network.
    """
    pulled = official(image)
    if pulled.archive.exists():
        return pulled
    return image if image.archive.exists() or not registry_answers() else pulled
