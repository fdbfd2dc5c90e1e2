"""Several images in one Docker archive, with their full names, as kind's builder of node images reads it.

`docker save` shortens `docker.io/...`, and kind then does not find the image that it expects.
"""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def combine(images: Mapping[str, Path], target: Path) -> None:
    """Write the images of these archives, one each, under these names into one archive; shared layers once.

    `repositories` comes first: of a `manifest.json` kind reads only the first image.
    """
    entries = []
    repositories: dict[str, dict[str, str]] = {}
    for name, archive in images.items():
        with tarfile.open(archive) as source:
            [entry] = _read(source, "manifest.json")
        entries.append(entry | {"RepoTags": [name]})
        repository, _, tag = name.rpartition(":")
        repositories.setdefault(repository, {})[tag] = Path(entry["Config"]).stem
    with tarfile.open(target, "w") as combined:
        _add(combined, "repositories", json.dumps(repositories).encode())
        _add(combined, "manifest.json", json.dumps(entries).encode())
        seen: set[str] = set()
        for entry, archive in zip(entries, images.values(), strict=True):
            with tarfile.open(archive) as source:
                for member in (entry["Config"], *entry["Layers"]):
                    if member not in seen:
                        seen.add(member)
                        combined.addfile(source.getmember(member), source.extractfile(member))


def _read(archive: tarfile.TarFile, member: str) -> Any:
    file = archive.extractfile(member)
    assert file is not None
    return json.loads(file.read())


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
