"""What the shops of an engine need on a node."""

from dataclasses import dataclass

from cluster.node.images.image import Image


@dataclass(frozen=True, slots=True)
class EngineImages:
    """The images that a store of an engine needs, each with its origin; without any, `missing` says why."""

    engine: str
    images: tuple[tuple[Image, str], ...] = ()
    missing: str = ""
