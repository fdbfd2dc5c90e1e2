"""The images of a Medusa store: built through the chart's own Dockerfiles, under the names that the chart gives them.

Their base images are replaced: Node.js is the package that the shop's tests use, nginx is Debian's. `NEXT` is the
backend of a later release, under another tag.
"""

import shutil
from pathlib import Path
from typing import Any

import yaml

from testing.node.host import run
from testing.node.images import BASE, HERE, POSTGRES, REDIS, Image
from testing.node.node import ROOT
from testing.shops.medusa.node import NODE, NODE_VERSION, NPM

CHART = ROOT / "charts" / "medusa"
NEXT_TAG = "9.9.9"


def _read(name: str) -> Any:
    return yaml.safe_load((CHART / name).read_text())


def _name(component: str, tag: str = "") -> str:
    image = _read("values.yaml")[component]["image"]
    return f"{image['repository']}:{tag or image['tag'] or _read('Chart.yaml')['appVersion']}"


def _copy_node(folder: Path) -> None:
    shutil.copy(NODE, folder / "node")
    shutil.copytree(NPM.parent.parent, folder / "npm", symlinks=True)


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
    return run(NODE, NPM, "config", "get", name).strip()


NODE_BASE = Image("localhost/node:22", HERE / "node", needs=BASE, prepare=_copy_node, key=NODE_VERSION)
NGINX_BASE = Image("localhost/nginx-unprivileged:1", HERE / "nginx", needs=BASE)
BACKEND = Image(
    _name("backend"),
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
NEXT = Image(_name("backend", NEXT_TAG), HERE / "medusa-next", needs={"localhost/medusa-backend": BACKEND})
IMAGES = (POSTGRES, REDIS, BACKEND, STOREFRONT, NEXT)
