"""The images of a Medusa store: built through the chart's own Dockerfiles, under the names that the chart gives them.

Their base images are replaced: Node.js is the one in PyPI, nginx is Debian's.
"""

import shutil
from pathlib import Path
from typing import Any

import yaml

from cluster.node.folders import ROOT
from cluster.node.host import run
from cluster.node.images.image import Image
from cluster.node.images.nodejs import nodejs_version, npm
from cluster.node.images.official import BASE, HERE, POSTGRES, REDIS

CHART = ROOT / "charts" / "medusa"


def _read(name: str) -> Any:
    return yaml.safe_load((CHART / name).read_text())


def backend_name(tag: str = "") -> str:
    """Return the name of the backend's image; `tag` stands for another release."""
    return _name("backend", tag)


def _name(component: str, tag: str = "") -> str:
    image = _read("values.yaml")[component]["image"]
    return f"{image['repository']}:{tag or image['tag'] or _read('Chart.yaml')['appVersion']}"


def _copy_node(folder: Path) -> None:
    node, script = npm()
    shutil.copy(node, folder / "node")
    shutil.copytree(script.parent.parent, folder / "npm", symlinks=True)


def _point_to_registry(folder: Path) -> None:
    """Configure the build's npm with this machine's registry; the file exists in the build stage only."""
    registry = _npm_setting("registry")
    with (folder / ".npmrc").open("a") as settings:
        settings.write(f"registry={registry}\n")


def _npm_cache() -> list[str]:
    """Mount npm's cache, so that packages in it are not downloaded again."""
    cache = Path(_npm_setting("cache"))
    cache.mkdir(parents=True, exist_ok=True)
    return ["--volume", f"{cache}:/root/.npm"]


def _npm_setting(name: str) -> str:
    return run(*npm(), "config", "get", name).strip()


NODE_BASE = Image("localhost/node:22", HERE / "node", needs=BASE, prepare=_copy_node, key=nodejs_version())
NGINX_BASE = Image("localhost/nginx-unprivileged:1", HERE / "nginx", needs=BASE)
BACKEND = Image(
    backend_name(),
    CHART / "image" / "backend",
    file="Dockerfile",
    needs={NODE_BASE.name: NODE_BASE},
    arguments={"NODE_IMAGE": NODE_BASE.name},
    prepare=_point_to_registry,
    options=_npm_cache,
)
STOREFRONT = Image(
    _name("storefront"),
    CHART / "image" / "storefront",
    file="Dockerfile",
    needs={NGINX_BASE.name: NGINX_BASE},
    arguments={"NGINX_IMAGE": NGINX_BASE.name},
)
IMAGES = (POSTGRES, REDIS, BACKEND, STOREFRONT)
