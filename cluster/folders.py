"""The folders of the clusters: the cache of their programs, and the state of each cluster.

The cache may be deleted while no cluster is running; it is rebuilt. The state is a cluster's data, credentials and
logs. `urumi` finds the same folders through platformdirs, which does not exist before the environment does.
"""

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

NAME = "urumi"


def cache_root() -> Path:
    """Return the folder of everything that can be rebuilt: `URUMI_CACHE_DIR` if set."""
    override = os.environ.get("URUMI_CACHE_DIR")
    return Path(override).absolute() if override else _user_folder("XDG_CACHE_HOME", ".cache", "Library/Caches")


def state_root() -> Path:
    """Return the folder of the token, the logs and the clusters: `URUMI_STATE_DIR` if set."""
    override = os.environ.get("URUMI_STATE_DIR")
    if override:
        return Path(override).absolute()
    return _user_folder("XDG_STATE_HOME", ".local/state", "Library/Application Support")


def default_state_dir() -> Path:
    """Return the folder of this user's local cluster."""
    return state_root() / "cluster"


def delete_if_empty(folder: Path) -> str:
    """Delete a folder without content, and return why it remains: it is a mount point, or the one above is not ours."""
    try:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        return "it is a link" if folder.is_symlink() else error.strerror or str(error)
    return ""


def _user_folder(variable: str, on_unix: str, on_macos: str) -> Path:
    given = os.environ.get(variable, "")
    if os.path.isabs(given):
        return Path(given) / NAME
    return Path.home() / (on_macos if sys.platform == "darwin" else on_unix) / NAME


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The files of one cluster; `run` is the working folder of its components."""

    root: Path

    @property
    def run(self) -> Path:
        """Sockets, pid files and the configuration of the components."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One log for each component."""
        return self.root / "logs"

    @property
    def data(self) -> Path:
        """etcd's data."""
        return self.root / "etcd"

    @property
    def pki(self) -> Path:
        """Keys, certificates and the token."""
        return self.root / "pki"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig for people and programs."""
        return self.root / "kubeconfig"

    @property
    def settings(self) -> Path:
        """The settings kept from one start to the next."""
        return self.root / "settings.json"

    @property
    def lock(self) -> Path:
        """The lock held during every change of the cluster."""
        return self.root / "lock"

    def make(self) -> None:
        """Create the folders, accessible to this user only."""
        for folder in (self.root, self.run, self.logs, self.pki):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically by one with mode 0600."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
