"""Free space in each folder, and what Urumi's cache has in it."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from cluster.access import nearest
from cluster.doctor.finding import Finding
from cluster.doctor.folders import places
from cluster.folders import cache_root
from cluster.place import Place

GB = 10**9
# What a first start writes; a later one needs little.
NEEDED_BYTES = {"checkout": 0.8 * GB, "state": 0.5 * GB, "cache": 4 * GB, "temporary": 1 * GB}
LATER_BYTES = 0.5 * GB
LOOK_SECONDS = 2.0


def space(place: Place) -> Iterator[Finding]:
    """Check the free space of every folder against what a first start, or a later one, writes there."""
    is_made = {"checkout": place.python.exists(), "cache": (cache_root() / "bin").exists()}
    for folder in places(place):
        try:
            free = shutil.disk_usage(nearest(folder.path)).free
        except OSError as error:
            yield Finding("note", f"{folder.subject} space", f"The free space is unknown: {error}.", "Check the disk.")
            continue
        needed = LATER_BYTES if is_made.get(folder.subject) else NEEDED_BYTES[folder.subject]
        sentence = f"{free / GB:.1f} GB free; {needed / GB:.1f} GB needed"
        if free >= needed:
            yield Finding("ok", f"{folder.subject} space", sentence)
            continue
        move = f", or set {folder.variable} to a folder on a larger disk" if folder.variable else ""
        yield Finding("problem", f"{folder.subject} space", f"{sentence}, at {folder.path}.", f"Free some space{move}.")


def cache(place: Place) -> Iterator[Finding]:
    """Report what is in the cache, with sizes as far as they are known within two seconds."""
    root = cache_root()
    try:
        entries = sorted(entry for entry in root.iterdir() if entry.is_dir())
    except FileNotFoundError:
        yield Finding("ok", "in the cache", "nothing")
        return
    except OSError:
        return  # the check of the folders reports it
    deadline = time.monotonic() + LOOK_SECONDS
    sizes = ", ".join(f"{entry.name} {_size(entry, deadline)}".rstrip() for entry in entries)
    yield Finding("ok", "in the cache", sizes or "nothing")


def _size(folder: Path, deadline: float) -> str:
    if time.monotonic() > deadline:
        return ""
    total, is_whole = 0, True
    for where, _, files in os.walk(folder):
        total += sum(_bytes(Path(where, name)) for name in files)
        if time.monotonic() > deadline:
            is_whole = False
            break
    return f"{'' if is_whole else 'over '}{total / 10**6:.0f} MB"


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
