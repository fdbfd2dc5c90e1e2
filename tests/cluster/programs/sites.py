"""What the tests of the sources download from: a site for files on loopback, and a folder as pip's package index."""

import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PINS = """
[[{kind}]]
program = "{program}"
version = "{version}"
{package}
[{kind}.platforms]
"{platform}" = {{ {url}sha256 = "{sha256}", members = {members} }}
"""


@dataclass
class Site:
    """A site: its address, its files by path, and the requests that it got as path and range."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    # Serves the first bytes of a file and ends the connection.
    stops_after: int | None = None
    # Serves whole files only.
    ignores_ranges: bool = False
    # Accepts requests and does not answer them until this is set.
    answers: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve() -> Iterator[Site]:
    """Run a site on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            site.requests.append((self.path, asked))
            site.answers.wait()
            content = site.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            begin = 0 if site.ignores_ranges or not asked else int(asked.removeprefix("bytes=").rstrip("-"))
            if begin and begin >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            self.wfile.write(content[begin:][: site.stops_after])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(f"http://127.0.0.1:{server.server_address[1]}")
        site.answers.set()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield site
        finally:
            site.answers.set()
            server.shutdown()


def program(words: str) -> bytes:
    """A program that prints some words."""
    return f"#!/bin/sh\necho {words}\n".encode()


def tarball(files: Mapping[str, bytes]) -> bytes:
    """A compressed tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def wheel(name: str, version: str, files: Mapping[str, bytes]) -> bytes:
    """A wheel with these files."""
    info = f"{name}-{version}.dist-info"
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    return zipped({**files, **{path: text.encode() for path, text in metadata.items()}})


def pins(
    path: Path,
    platform: str,
    content: bytes,
    program: str,
    version: str,
    *,
    url: str = "",
    package: str = "",
    members: tuple[str, ...] = (),
) -> None:
    """Add a pin to a file: of a release file, or of a package."""
    text = PINS.format(
        kind="wheel" if package else "release",
        program=program,
        version=version,
        package=f'package = "{package}"' if package else "",
        platform=platform,
        url=f'url = "{url}", ' if url else "",
        sha256=sha256(content).hexdigest(),
        members=list(members),
    )
    path.write_text((path.read_text() if path.exists() else "") + text)
