"""A digest of everything that a running server was started from."""

import hashlib
from pathlib import Path

SOURCES = ("charts", "crds", "reconciler", "server", "urumi")


def code_digest(root: Path) -> str:
    """Return the digest of the server's code, charts and dependencies, which is also valid in an image's tag."""
    files = [path for name in SOURCES for path in (root / name).rglob("*") if path.suffix != ".pyc" and path.is_file()]
    digest = hashlib.sha256()
    for path in sorted([*files, root / "pyproject.toml"]):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
