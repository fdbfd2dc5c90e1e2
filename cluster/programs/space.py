"""Checks before a build whether the disks have room for it: per disk, with what each folder on it needs."""

import shutil
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from cluster.errors import DiskSpaceError


def check_space(needs: Mapping[Path, int]) -> None:
    """Check that each disk has room for what all folders on it will hold.

    Raises:
        DiskSpaceError: one does not; names its folders and their needs.
    """
    disks: dict[int, dict[Path, int]] = defaultdict(dict)
    for folder, size in needs.items():
        disks[_existing(folder).stat().st_dev][folder] = size
    for folders in disks.values():
        needed = sum(folders.values())
        free = shutil.disk_usage(_existing(next(iter(folders)))).free
        if free < needed:
            parts = ", ".join(f"{size / 1e9:.1f} GB in {folder}" for folder, size in folders.items())
            raise DiskSpaceError(
                f"Disk full: the programs need {needed / 1e9:.1f} GB ({parts}), {free / 1e9:.1f} GB are free.",
                hint="Free some space, or set URUMI_CACHE_DIR, GOCACHE and GOMODCACHE to a larger disk.",
            )


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())
