"""The node as users have it: detached, in the state folder, with an ingress controller on ports of this machine.

    up -> programs and images, side by side -> node -> names, ingress -> images of the engines imported

`up` serves as first start, as the start after a shutdown or a power failure, and as repair. A lock limits the folder to
one command that changes it; other nodes, such as those of the tests, have their own storage and control groups.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from cluster.api import Api
from cluster.errors import ApiServerError, ClusterError
from cluster.lock import file_lock
from cluster.node import layout
from cluster.node.errors import NodeError
from cluster.node.folders import NodeFolder
from cluster.node.images.engine import EngineImages
from cluster.node.images.image import ensure_images, load_images
from cluster.node.images.official import BUSYBOX, PAUSE
from cluster.node.node import Node, is_node_ready
from cluster.node.product.ports import NodePorts, choose_ports
from cluster.node.programs import ensure_programs

SYSTEM_IMAGES = (BUSYBOX, PAUSE)

Say = Callable[[str], None]


class ProductNode:
    """The node of one state folder."""

    def __init__(self, root: Path, say: Say) -> None:
        self.folder = NodeFolder(root, root / "containerd")
        self._say = say
        self._lock = root.with_name(f"{root.name}.lock")
        self._first_store = root / "first-store"
        self._ports_file = root / "ports.json"

    @property
    def ports(self) -> NodePorts | None:
        """The ports of the last start, None before the first."""
        return NodePorts.read(self._ports_file)

    @property
    def has_first_store(self) -> bool:
        """Whether this cluster had a store; it is not created again after its user deleted it."""
        return self._first_store.exists()

    def keep_first_store(self) -> None:
        """Remember that the cluster had a store."""
        self._first_store.touch()

    def own_ports(self) -> frozenset[int]:
        """Return the ports on which a process of this node listens, even if the node itself was killed."""
        known = self.ports
        if known is None or not self._node(known.api).forwards_ports():
            return frozenset()
        return frozenset((known.api, known.http, known.https))

    def up(self) -> tuple[Node, NodePorts, Sequence[EngineImages]]:
        """Start what is not running, and return the node, its ports, and which engines' shops can run on it.

        Raises:
            ClusterError: a program or an image could not be built, or the node did not come up; states why.
        """
        with self._locked():
            self.folder.make()
            engines = self._provide()
            ports = choose_ports(self.ports, self.own_ports())
            ports.write(self._ports_file)
            forwards = {ports.http: (layout.NODE_ADDRESS, 80), ports.https: (layout.NODE_ADDRESS, 443)}
            node = Node(self.folder, ports.api, self._say, forwards=forwards)
            node.up()
            load_images(node, SYSTEM_IMAGES, self._say)
            node.serve_names()
            node.serve_ingress()
            load_images(node, [image for each in engines for image, _ in each.images], self._say)
            return node, ports, engines

    def down(self, *, purge: bool) -> bool:
        """Stop the node and keep its data; with `purge`, delete it. Return whether the node was running.

        Raises:
            NodeError: something survived.
        """
        if not self.folder.root.exists():
            return False
        with self._locked():
            node = self._node(self.ports.api if self.ports else 0)
            was_running = node.find_pid() is not None
            if purge:
                node.delete()
                if self.folder.root.exists():
                    raise NodeError(f"{self.folder.root} cannot be deleted.", hint="See what is mounted in it: mount")
            else:
                node.end()
        if purge:
            self._lock.unlink(missing_ok=True)
        return was_running

    def is_up(self) -> bool:
        """Return whether the node's first process runs."""
        known = self.ports
        return known is not None and self._node(known.api).find_pid() is not None

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the running node."""
        known = self.ports
        if known is None:
            return
        node = self._node(known.api)
        for name in node.ended_relays():
            yield f"the process {name} that forwards ports is not running"
        try:
            if not is_node_ready(node.api):
                yield f"node {layout.NODE} is not ready"
        except (ApiServerError, OSError) as error:
            yield error.message if isinstance(error, ClusterError) else str(error)

    def api(self) -> Api:
        """The API server of the running node, as the admin."""
        return self._node(self.ports.api if self.ports else 0).api

    def _node(self, port: int) -> Node:
        return Node(self.folder, port, self._say)

    def _provide(self) -> list[EngineImages]:
        """Build programs and images at the same time: compilers use the processor, image builds mostly the network."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="images") as pool:
            images = pool.submit(self._provide_images)
            ensure_programs(self._say)
            return images.result()

    def _provide_images(self) -> list[EngineImages]:
        # It reads the charts; a command that starts no node works without them.
        from cluster.node.images.engines import engine_images

        ensure_images(SYSTEM_IMAGES, self._say)
        found = [self._built(each) for each in engine_images()]
        if not any(each.images for each in found):
            raise NodeError("\n".join(each.missing for each in found))
        return found

    def _built(self, engine: EngineImages) -> EngineImages:
        """Build the images of an engine; one engine that cannot be built does not prevent the others."""
        try:
            ensure_images([image for image, _ in engine.images], self._say)
        except NodeError as error:
            return EngineImages(engine.engine, missing=f"{engine.engine}'s images cannot be built: {error.sentence()}")
        return engine

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with file_lock(self._lock, lambda: self._say("Waiting for another command that changes the node.")):
            yield
