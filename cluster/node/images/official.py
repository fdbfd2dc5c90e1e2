"""Debian's programs under the names and with the contract of the official images: variables, users, folders."""

import shutil
import subprocess
from pathlib import Path

from cluster.node.errors import NodeError
from cluster.node.host import SEARCH, run
from cluster.node.images.image import BUILD_SECONDS, Image

HERE = Path(__file__).resolve().parent / "stand_ins"


def _copy_busybox(folder: Path) -> None:
    found = shutil.which("busybox", path=SEARCH)
    if found is None:
        raise NodeError("busybox not found. Run apt-get install busybox-static")
    shutil.copy(found, folder / "busybox")


def _bootstrap(folder: Path) -> None:
    """Create a Debian of the machine's release from the machine's package sources."""
    done = subprocess.run(
        ["sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME"], capture_output=True, text=True, check=True
    )
    candidates = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
    sources = [str(path) for path in candidates if path.exists() and path.stat().st_size][:1]
    run(
        *("mmdebstrap", "--variant=minbase", "--include=ca-certificates,curl,tzdata", "--quiet"),
        *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
        *(done.stdout.strip(), str(folder / "root.tar"), *sources),
        timeout_seconds=BUILD_SECONDS,
    )
    # A machine behind a proxy may have additional certificate authorities, and builds contact registries.
    authorities = Path("/etc/ssl/certs/ca-certificates.crt")
    if authorities.exists():
        shutil.copy(authorities, folder / "authorities.crt")
    else:
        (folder / "authorities.crt").touch()


BUSYBOX = Image("localhost/busybox:1", HERE / "busybox", prepare=_copy_busybox)
PAUSE = Image("localhost/pause:1", HERE / "pause", needs={"localhost/busybox:1": BUSYBOX})
DEBIAN = Image("localhost/debian:stable", HERE / "debian", prepare=_bootstrap)
BASE = {"localhost/debian:stable": DEBIAN}
POSTGRES = Image("postgres:16.14-bookworm", HERE / "postgres", needs=BASE)
REDIS = Image("redis:7.2.14", HERE / "redis", needs=BASE)
MARIADB = Image("mariadb:11.8.8", HERE / "mariadb", needs=BASE)
APACHE = Image("localhost/apache:1", HERE / "apache", needs=BASE)
