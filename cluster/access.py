"""Why this user cannot write to a folder: its owner and mode, or a read-only file system."""

import os
import pwd
import stat
from pathlib import Path


def obstruction(folder: Path) -> str:
    """Return why this user can neither use nor create a folder; empty if it can."""
    try:
        if folder.exists():
            return _unusable(folder)
        if folder.is_symlink():
            return f"{folder} is a link to {folder.readlink()}, which does not exist"
        if not (reason := _unusable(nearest(folder))):
            return ""
    except PermissionError as error:
        reason = _unusable(nearest(folder)) or str(error)
    return f"it cannot be created, because {reason}"


def foreign_entry(folder: Path) -> Path | None:
    """Return an entry of a folder that another user owns and this one cannot change, as a run with sudo leaves it."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return None
    return next((each for each in entries if each.lstat().st_uid != os.geteuid() and not _may_write(each)), None)


def nearest(folder: Path) -> Path:
    """Return the folder, or the closest folder above it that exists and can be seen."""
    for place in (folder, *folder.parents):
        try:
            if place.exists():
                return place
        except PermissionError:
            continue
    return Path(folder.anchor)


def user_name(uid: int) -> str:
    """Return the name of a user, or the number of one without a name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _unusable(folder: Path) -> str:
    info = folder.stat()
    if not stat.S_ISDIR(info.st_mode):
        return f"{folder} is not a folder"
    if _may_write(folder):
        return ""
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return f"{folder} is on a read-only file system"
    return f"{ownership(folder)}, and this is {user_name(os.geteuid())}"


def ownership(path: Path) -> str:
    """Return a sentence about the owner and the mode of a path."""
    info = path.lstat()
    return f"{path} belongs to {user_name(info.st_uid)} with mode {stat.S_IMODE(info.st_mode):04o}"


def _may_write(path: Path) -> bool:
    mode = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    # As the effective user, unlike os.access by default; root may write everywhere but to a read-only file system.
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
