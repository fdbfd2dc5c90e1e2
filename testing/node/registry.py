"""A registry of images on this machine that has one image under every name, and buildah's configuration for it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIGURATION = '[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:{port}"\ninsecure = true\n'


@contextmanager
def registry(layout: Path, configuration: Path) -> Iterator[list[str]]:
    """Serve the image of an OCI layout inside the block, and yield the paths that are requested."""
    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    requested: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        """Answers with the image's manifest for every name, and with its parts."""

        def do_GET(self) -> None:
            requested.append(self.path)
            words = self.path.split("/")
            kind, reference = words[-2], words[-1]
            digest = reference if kind == "blobs" else entry["digest"]
            path = layout / "blobs" / digest.replace(":", "/")
            if self.path == "/v2/":
                self._respond(200, b"{}", "application/json")
            elif kind in ("manifests", "blobs") and path.is_file():
                media = entry["mediaType"] if kind == "manifests" else "application/octet-stream"
                self._respond(200, path.read_bytes(), media, digest)
            else:
                self._respond(404, b"{}", "application/json")

        do_HEAD = do_GET

        def _respond(self, status: int, body: bytes, media: str, digest: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            if digest:
                self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    configuration.write_text(CONFIGURATION.format(port=server.server_port))
    try:
        yield requested
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
