"""kind's node image, built by kind itself from what package registries have.

`kind build node-image` makes a node image from a base image and an archive of a Kubernetes release. Here the base image
is Debian with kind's own files, and the release contains programs and images that were built from Go modules: those
that kubeadm and kind's manifests name, and those that a registry would give the cluster's pods later.
"""

import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from cluster.folders import cache_root
from cluster.kind.kind import MODULE as KIND_MODULE
from cluster.node.folders import node_cache
from cluster.node.host import run
from cluster.node.images.image import Image, ensure_images
from cluster.node.images.official import BUSYBOX, DEBIAN, MARIADB, PAUSE, POSTGRES, REDIS
from cluster.node.ingress.source import ingress_recipe
from cluster.node.programs import MODULE_DIR as NODE_MODULE
from cluster.programs.binaries import Binaries, ensure_binaries
from cluster.programs.golang.toolchain import find_go, minimum_version
from cluster.programs.recipe import Recipe
from testing.docker.archives import combine
from testing.docker.engine import Engine, docker_cache
from testing.docker.errors import DockerError

HERE = Path(__file__).resolve().parent
IMAGES = HERE / "images"
BUILD_SECONDS = 900.0

Say = Callable[[str], None]


class NodeImage:
    """The node image for the kind of this checkout, with the images that its pods would be given by a registry."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._recipes = {
            "cluster": (cache_root(), Recipe.read()),
            "node": (node_cache(), Recipe.read(NODE_MODULE)),
            "docker": (docker_cache(), Recipe.read(HERE)),
            "kind": (cache_root(), Recipe.read(KIND_MODULE)),
            "ingress": (node_cache(), ingress_recipe(say)),
        }
        self._built: dict[str, Binaries] = {}
        self.version = next(each.version for each in self._recipes["docker"][1].programs if each.name == "kubeadm")
        self._base = self._base_image()

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
        with tarfile.open(release, "w:gz", compresslevel=0) as archive:
            archive.add(folder / "kubernetes", "kubernetes")
        shutil.rmtree(folder / "kubernetes")
        return release

    def _images(self) -> dict[str, Image]:
        """Return the images of the node by their names."""
        listed = run(
            self.program("docker", "kubeadm"), "config", "images", "list", "--kubernetes-version", self.version
        )
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
        [pause] = re.findall(
            r'sandbox_image = "(\S+)"', (self._kind_files() / "etc/containerd/config.toml").read_text()
        )
        found |= {
            network: self._network(),
            provisioner: self._component("local-path-provisioner"),
            helper: BUSYBOX,
            pause: PAUSE,
        }
        [ingress] = re.findall(r"image: (\S+/traefik:\S+)", (KIND_MODULE / "traefik.yaml").read_text())
        found[ingress] = self._image("localhost/kind-traefik:1", "traefik", "ingress", "traefik")
        return found | {image.full_name(): image for image in (POSTGRES, REDIS, MARIADB)}

    def _component(self, component: str) -> Image:
        if component == "kube-proxy":
            return self._network()
        if component == "coredns":
            return self._image("localhost/kind-coredns:1", "coredns", "node", "coredns")
        module = "node" if component == "local-path-provisioner" else "cluster"
        return self._image(f"localhost/kind-{component}:1", "program", module, component)

    def _network(self) -> Image:
        return self._image("localhost/kind-network:1", "network", "node", "kube-proxy", "kube-network-policies")

    def _image(self, name: str, folder: str, module: str, *programs: str) -> Image:
        """Return an image with these programs of a module."""

        def copy_programs(context: Path) -> None:
            (context / "programs").mkdir()
            for program in programs:
                shutil.copy(self.program(module, program), context / "programs" / program)

        needs = {image.name: image for image in (DEBIAN, BUSYBOX)}
        key = " ".join((self._recipes[module][1].key, *programs))
        return Image(name, IMAGES / folder, needs=needs, prepare=copy_programs, key=key)

    def _base_image(self) -> Image:
        programs = ("containerd", "containerd-shim-runc-v2", "ctr", "crictl")
        image = self._image("localhost/kind-base:1", "node-base", "docker", *programs)

        def prepare(context: Path) -> None:
            image.prepare(context)
            shutil.copytree(self._kind_files(), context / "files")

        return replace(image, prepare=prepare, key=f"{image.key} {self._recipes['kind'][1].key}")

    def _kind_files(self) -> Path:
        return self._kind_source() / "images" / "base" / "files"

    def _kind_source(self) -> Path:
        go = find_go(minimum_version((KIND_MODULE / "go.mod").read_text()), cache_root(), self._say).command
        run(go, "mod", "download", "sigs.k8s.io/kind", cwd=KIND_MODULE)
        folder = run(go, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kind", cwd=KIND_MODULE).strip()
        if not folder:
            raise DockerError("Go has no source of sigs.k8s.io/kind: see `go list -m sigs.k8s.io/kind`.")
        return Path(folder)
