"""The folders that Urumi writes to: whether this user may, whether programs run there, and the user's umask."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cluster.access import foreign_entry, nearest, obstruction, ownership, user_name
from cluster.doctor.finding import Finding
from cluster.folders import cache_root
from cluster.place import Place


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, and how Urumi uses it.

    Args:
        variable: the one that moves it; the checkout has none.
        has_programs: whether programs are started from it.
        inside: the folder in it whose entries are all Urumi's, "." for itself.
    """

    subject: str
    path: Path
    variable: str = ""
    has_programs: bool = False
    inside: str = ""


def places(place: Place) -> tuple[Folder, ...]:
    """Return the folders that Urumi writes to."""
    return (
        Folder("checkout", place.root, has_programs=True, inside=".venv"),
        Folder("state", place.state, "URUMI_STATE_DIR", inside="."),
        Folder("cache", cache_root(), "URUMI_CACHE_DIR", has_programs=True, inside="."),
        Folder("temporary", temporary(), "TMPDIR"),
    )


def temporary() -> Path:
    """Return the folder for temporary files."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - only named in a finding


def folders(place: Place) -> Iterator[Finding]:
    """Check that this user can write to each folder and run programs in it."""
    for folder in places(place):
        yield _finding(folder)


def home(place: Place) -> Iterator[Finding]:
    """Check the home folder: pip, Go and npm have their caches there, and Urumi's own folders are there by default."""
    path = Path(os.environ.get("HOME") or "~").expanduser()
    reason = obstruction(path)
    if not reason:
        yield Finding("ok", "home", str(path))
        return
    yield Finding(
        "note",
        "home",
        f"{path} cannot be used: {reason}.",
        "Set HOME to a folder of yours, or URUMI_STATE_DIR, URUMI_CACHE_DIR, GOPATH, GOCACHE and npm_config_cache.",
    )


def umask(place: Place) -> Iterator[Finding]:
    """Report the umask; Urumi sets the mode of each secret itself."""
    mask = os.umask(0o077)
    os.umask(mask)
    yield Finding("ok", "umask", f"{mask:04o}")


def _finding(folder: Folder) -> Finding:
    move = f"set {folder.variable} to a folder of yours" if folder.variable else "use a checkout of your own"
    reason, given_back = obstruction(folder.path), folder.path
    entry = foreign_entry(folder.path / folder.inside) if folder.inside and not reason else None
    if entry is not None:
        reason, given_back = f"{ownership(entry)}, as after a run with sudo", entry
    if reason:
        give_back = f", or run: sudo chown -R {user_name(os.geteuid())} '{given_back}'"
        hint = f"{move[0].upper()}{move[1:]}{give_back if os.path.exists(given_back) else '.'}"
        sentence = f"The {folder.subject} folder {folder.path} cannot be used: {reason}."
        return Finding("problem", folder.subject, sentence, hint)
    if folder.has_programs and os.statvfs(nearest(folder.path)).f_flag & getattr(os, "ST_NOEXEC", 0):
        sentence = f"No program can be started from {folder.path}: its file system is mounted with noexec."
        return Finding("problem", folder.subject, sentence, f"{move[0].upper()}{move[1:]} on another file system.")
    return Finding("ok", folder.subject, str(folder.path))
