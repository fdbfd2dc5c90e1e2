"""The files from which an image is built: a folder, or the part of it that the Dockerfile's ignore file allows.

Of the ignore file's syntax, the project's subset is supported: `*` excludes everything, `!folder` includes a folder
again, and the patterns after it exclude files. Only the remaining files are copied and part of an image's digest.
"""

import hashlib
import shutil
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

NEVER = ("**/node_modules", "**/.git", "**/__pycache__")


def context_files(folder: Path, ignore_file: Path | None = None) -> list[Path]:
    """Return the files of a context, relative to the folder and in a fixed order."""
    lines = ignore_file.read_text().splitlines() if ignore_file else []
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    roots = [folder / rule[1:] for rule in rules if rule.startswith("!")] or [folder]
    left_out = [*NEVER, *(rule for rule in rules if rule != "*" and not rule.startswith("!"))]
    return sorted({path for root in roots for path in _files(folder, root, left_out)})


def context_digest(folder: Path, ignore_file: Path | None = None) -> str:
    """Return a digest of everything in a context."""
    found = hashlib.sha256()
    for relative in context_files(folder, ignore_file):
        path = folder / relative
        found.update(f"{relative}\0{_mode(path)}\0".encode() + path.read_bytes())
    return found.hexdigest()


def open_context(folder: Path) -> None:
    """Make every file readable for everybody, as a checkout with the usual umask is: users of an image are others."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else _mode(path) & 0o777)


def copy_context(folder: Path, target: Path, ignore_file: Path | None = None) -> None:
    """Copy a context to a new folder."""
    target.mkdir(parents=True)
    for relative in context_files(folder, ignore_file):
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(folder / relative, target / relative, follow_symlinks=False)


def _mode(path: Path) -> int:
    """Return the mode of a file, of whose permissions only its owner's right to run it counts."""
    mode = path.stat().st_mode
    return stat.S_IFMT(mode) | (0o755 if mode & stat.S_IXUSR else 0o644)


def _files(folder: Path, root: Path, left_out: Sequence[str]) -> Iterator[Path]:
    relative = root.relative_to(folder)
    if any(_matches(relative, pattern) for pattern in left_out):
        return
    if root.is_dir() and not root.is_symlink():
        for path in root.iterdir():
            yield from _files(folder, path, left_out)
    elif root.is_file():
        yield relative


def _matches(path: Path, pattern: str) -> bool:
    anywhere = pattern.removeprefix("**/")
    return fnmatch(path.name, anywhere) if anywhere != pattern else fnmatch(str(path), pattern)
