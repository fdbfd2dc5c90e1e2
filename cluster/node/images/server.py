"""The image of the server: built by its own Dockerfile, with the machine's Go and module cache in the build."""

import os
import re
from pathlib import Path

from cluster.folders import cache_root
from cluster.node.errors import NodeError
from cluster.node.folders import ROOT
from cluster.node.host import run
from cluster.node.images.image import Image
from cluster.node.images.official import BASE, HERE
from cluster.programs.golang.toolchain import find_go, minimum_version
from cluster.programs.recipe import MODULE_DIR as PROGRAMS_DIR


def _server_options() -> list[str]:
    """Mount the machine's Go and its caches into the golang image, and pass its mirrors."""
    minimum = minimum_version((PROGRAMS_DIR / "go.mod").read_text())
    go = find_go(minimum, cache_root(), lambda words: None).command
    root, cache, modules, proxy = run(go, "env", "GOROOT", "GOCACHE", "GOMODCACHE", "GOPROXY").splitlines()
    for folder in (cache, modules):
        Path(folder).mkdir(parents=True, exist_ok=True)
    mirrors = {"GOPROXY": proxy, "PIP_INDEX_URL": os.environ.get("PIP_INDEX_URL")}
    return [
        *(
            "--volume",
            f"{root}:/usr/local/go:ro",
            "--volume",
            f"{cache}:/go/cache",
            "--volume",
            f"{modules}:/go/modules",
        ),
        *(word for name, value in mirrors.items() if value for word in ("--build-arg", f"{name}={value}")),
    ]


def app_version(chart: str) -> str:
    """Return the appVersion of a chart, which is the tag of its image."""
    found = re.search(r'^appVersion: "(.+)"$', (ROOT / "charts" / chart / "Chart.yaml").read_text(), re.MULTILINE)
    if found is None:
        raise NodeError(f"charts/{chart}/Chart.yaml has no appVersion.")
    return found[1]


GOLANG = Image("localhost/golang:1", HERE / "golang", needs=BASE)
PYTHON = Image("localhost/python:3", HERE / "python", needs=BASE)
SERVER = Image(
    f"urumi/urumi:{app_version('platform')}",
    ROOT,
    file="server/Dockerfile",
    needs={GOLANG.name: GOLANG, PYTHON.name: PYTHON},
    arguments={"GO_IMAGE": GOLANG.name, "PYTHON_IMAGE": PYTHON.name},
    ignore_file=ROOT / "server" / "Dockerfile.dockerignore",
    options=_server_options,
)
