"""kind's node image, built by kind itself from what package registries have.

`kind build node-image` makes a node image from a base image and an archive of a Kubernetes release. Here the base image
is Debian with kind's own files, and the release contains programs and images that were built from Go modules: those that
kubeadm and kind's manifests name, and those that a registry would give the cluster's pods later.
"""

import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from cluster.folders import cache_root
from cluster.programs.binaries import Binaries, Recipe, ensure_binaries
from cluster.programs.toolchain import find_go, minimum_version
from testing.docker.archives import combine
from testing.docker.engine import ROOT, Engine, docker_cache
from testing.docker.errors import DockerError
from cluster.node.images.context import context_digest
from cluster.node.folders import node_cache
from cluster.node.host import run
from cluster.node.images.image import Image, ensure_images
from cluster.node.images.official import BUSYBOX, DEBIAN, PAUSE
from cluster.node.node import MODULE_DIR as NODE_MODULE

HERE = Path(__file__).resolve().parent
KIND_MODULE = ROOT / "scripts" / "kind"
IMAGES = HERE / "images"
BUILD_SECONDS = 900.0

Say = Callable[[str], None]


class NodeImage:
    """The node image for the kind of this checkout, with more images for pods by their full names."""

    def __init__(self, more: Mapping[str, Image], say: Say) -> None:
        self._say = say
        self._recipes = {
            "cluster": (cache_root(), Recipe.read()),
            "node": (node_cache(), Recipe.read(NODE_MODULE)),
            "docker": (docker_cache(), Recipe.read(HERE)),
            "kind": (cache_root(), Recipe.read(KIND_MODULE)),
        }
        self._built: dict[str, Binaries] = {}
        self.version = next(each.version for each in self._recipes["docker"][1].programs if each.name == "kubeadm")
        self._base = self._image("localhost/kind-base:1", "node-base", self._copy_base)
        self._more = more

    @property
    def kind(self) -> Path:
        """The program kind, as setup.sh builds it."""
        return self.program("kind", "kind")

    def program(self, module: str, name: str) -> Path:
        """Return the path of a program, built if it is missing."""
        if module not in self._built:
            cache, recipe = self._recipes[module]
            self._built[module] = ensure_binaries(cache, lambda build: self._say(build.sentence()), self._say, recipe)
        return self._built[module].path(name)

    def ensure(self, engine: Engine) -> str:
        """Build the node image unless the engine has it, and return its name."""
        images = self._images()
        digest = hashlib.sha256(json.dumps([self._base.digest, self.version, Path(__file__).read_text()]).encode())
        for name, image in sorted(images.items()):
            digest.update(f"{name}\0{image.digest}\0".encode())
        name = f"urumi-test/kind-node:{digest.hexdigest()[:16]}"
        if not engine.has_image(name):
            self._build(engine, name, images)
        return name

    def _build(self, engine: Engine, name: str, images: Mapping[str, Image]) -> None:
        ensure_images([self._base, *images.values()], self._say)
        self._say("Building kind's node image.")
        for old in engine.docker("image", "ls", "--quiet", "urumi-test/kind-node").split():
            engine.docker("image", "rm", "--force", old)
        engine.docker("load", "--input", self._base.archive)
        with tempfile.TemporaryDirectory(dir=engine.folder) as folder:
            release = self._release(Path(folder), {name: image.archive for name, image in images.items()})
            options = ("--type", "file", "--base-image", self._base.name, "--image", name, release)
            engine.run(
                *(self.kind, "build", "node-image", *options),
                environ={"TMPDIR": folder},
                timeout_seconds=BUILD_SECONDS,
            )
        engine.docker("image", "rm", self._base.name)

    def _release(self, folder: Path, archives: Mapping[str, Path]) -> Path:
        """Write a release with the layout of Kubernetes' own; kind takes every image from its archives."""
        server = folder / "kubernetes" / "server" / "bin"
        server.mkdir(parents=True)
        (folder / "kubernetes" / "version").write_text(self.version)
        for module, program in (("docker", "kubeadm"), ("node", "kubelet"), ("cluster", "kubectl")):
            shutil.copy(self.program(module, program), server / program)
        own = {name: path for name, path in archives.items() if "/kube-" in name}
        for component in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
            [found] = [name for name in own if f"/{component}:" in name]
            combine({found: own[found]}, server / f"{component}.tar")
        rest = {name: path for name, path in archives.items() if name not in own or "/kube-proxy:" in name}
        combine(rest, server / "kube-proxy.tar")
        release = folder / "release.tar.gz"
        with tarfile.open(release, "w:gz", compresslevel=1) as archive:
            archive.add(folder / "kubernetes", "kubernetes")
        shutil.rmtree(folder / "kubernetes")
        return release

    def _images(self) -> dict[str, Image]:
        """Return the images of the node by their names."""
        listed = run(self.program("docker", "kubeadm"), "config", "images", "list", "--kubernetes-version", self.version)
        found = {}
        for name in listed.split():
            component = name.rpartition("/")[2].partition(":")[0]
            if component != "pause":
                found[name] = self._component(component)
        source = self._kind_source() / "pkg" / "build" / "nodeimage"
        storage = (source / "const_storage.go").read_text()
        [network] = re.findall(r'Image = "(\S+/kindnetd:\S+)"', (source / "const_cni.go").read_text())
        [provisioner] = re.findall(r'Image = "(\S+/local-path-provisioner:\S+)"', storage)
        [helper] = re.findall(r'Image = "(\S+/local-path-helper:\S+)"', storage)
        [pause] = re.findall(r'sandbox_image = "(\S+)"', (self._kind_files() / "etc/containerd/config.toml").read_text())
        found |= {
            network: self._network(),
            provisioner: self._component("local-path-provisioner"),
            helper: BUSYBOX,
            pause: PAUSE,
        }
        return found | dict(self._more)

    def _component(self, component: str) -> Image:
        if component == "kube-proxy":
            return self._network()
        if component == "coredns":
            return self._image("localhost/kind-coredns:1", "coredns", self._copying("node", "coredns"))
        module = "node" if component == "local-path-provisioner" else "cluster"
        return self._image(f"localhost/kind-{component}:1", "program", self._copying(module, component))

    def _network(self) -> Image:
        copy = self._copying("node", "kube-proxy", "kube-network-policies")
        return self._image("localhost/kind-network:1", "network", copy)

    def _image(self, name: str, folder: str, prepare: Callable[[Path], None]) -> Image:
        needs = {image.name: image for image in (DEBIAN, BUSYBOX)}
        keys = [recipe.key for _, recipe in self._recipes.values()]
        key = "\0".join([*keys, context_digest(IMAGES / folder)])
        return Image(name, IMAGES / folder, needs=needs, prepare=prepare, key=key)

    def _copying(self, module: str, *names: str) -> Callable[[Path], None]:
        def prepare(folder: Path) -> None:
            (folder / "programs").mkdir()
            for name in names:
                shutil.copy(self.program(module, name), folder / "programs" / name)

        return prepare

    def _copy_base(self, folder: Path) -> None:
        self._copying("docker", "containerd", "containerd-shim-runc-v2", "ctr", "crictl")(folder)
        shutil.copytree(self._kind_files(), folder / "files")

    def _kind_files(self) -> Path:
        return self._kind_source() / "images" / "base" / "files"

    def _kind_source(self) -> Path:
        go = find_go(minimum_version((KIND_MODULE / "go.mod").read_text()), cache_root(), self._say).command
        run(go, "mod", "download", "sigs.k8s.io/kind", cwd=KIND_MODULE)
        folder = run(go, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kind", cwd=KIND_MODULE).strip()
        if not folder:
            raise DockerError("Go has no source of sigs.k8s.io/kind: see `go list -m sigs.k8s.io/kind`.")
        return Path(folder)
