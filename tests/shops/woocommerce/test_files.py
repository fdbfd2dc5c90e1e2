"""The scripts that build the image and prepare the stock image: they parse, and they verify every checksum.

Nothing is downloaded from the internet: a server of the test provides the archives, with its own versions.env.
"""

import hashlib
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from testing.shops.woocommerce.shop import CHART, FILES

PHP_FILES = sorted(FILES.glob("*.php"))
SHELL_FILES = [FILES / "assemble", FILES / "urumi-install", CHART / "image" / "refresh-versions"]

needs_php = pytest.mark.skipif(shutil.which("php") is None, reason="php is not on PATH: apt-get install php-cli")
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the scripts call curl, which is not on PATH")


def archive(folder: str) -> bytes:
    """A plugin or theme as wordpress.org packs it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr(f"{folder}/{folder}.php", "<?php // of the test\n")
    return content.getvalue()


ARCHIVES = {
    "/plugin/woocommerce.1.2.3.zip": archive("woocommerce"),
    "/theme/storefront.4.5.6.zip": archive("storefront"),
}
ANSWERS = {
    "/plugins/info/1.2/?action=plugin_information&slug=woocommerce": b'{"name":"WooCommerce","version":"1.2.3"}',
    "/themes/info/1.2/?action=theme_information&slug=storefront": b'{"name":"Storefront","version":"4.5.6"}',
}
SUMS = [hashlib.sha256(content).hexdigest() for content in ARCHIVES.values()]


class Handler(BaseHTTPRequestHandler):
    """One request to wordpress.org."""

    def do_GET(self) -> None:
        """Return the archive at the path."""
        content = (ARCHIVES | ANSWERS).get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


@contextmanager
def wordpress_org() -> Iterator[str]:
    """A server of archives inside the block; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files of WordPress that the scripts check."""
    folder = tmp_path / "wordpress"
    for name in ("plugins", "themes"):
        (folder / "wp-content" / name).mkdir(parents=True)
    (folder / "wp-settings.php").write_text("<?php\n")
    (folder / "wp-config-docker.php").write_text("<?php // from the environment\n")
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The chart's folder, to change versions.env in."""
    folder = tmp_path / "woocommerce"
    shutil.copytree(CHART, folder)
    write_versions(folder, SUMS[0], SUMS[1])
    return folder


def write_versions(chart: Path, woocommerce_sum: str, storefront_sum: str) -> None:
    """Pin the test's own archives."""
    (chart / "files" / "versions.env").write_text(
        f"WOOCOMMERCE_VERSION=1.2.3\nWOOCOMMERCE_SHA256={woocommerce_sum}\n"
        f"STOREFRONT_VERSION=4.5.6\nSTOREFRONT_SHA256={storefront_sum}\n"
    )


def run(command: list[object], origin: str = "http://127.0.0.1:9") -> subprocess.CompletedProcess[str]:
    """Run a script with the test's server instead of wordpress.org."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "URUMI_DOWNLOADS_URL": origin,
        "URUMI_VERSIONS_URL": origin,
    }
    arguments = [str(part) for part in command]
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60, check=False)


@needs_php
@pytest.mark.parametrize("path", PHP_FILES, ids=lambda path: path.name)
def test_php_parses(path: Path) -> None:
    done = subprocess.run(["php", "-l", path], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout == f"No syntax errors detected in {path}\n", done.stderr


def test_shellcheck_finds_nothing() -> None:
    done = run(["shellcheck", "-x", "-P", "SCRIPTDIR", *SHELL_FILES])

    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


@needs_php
@needs_curl
def test_the_pinned_archives_are_added_to_wordpress(root: Path, copy: Path) -> None:
    with wordpress_org() as origin:
        done = run([copy / "files" / "assemble", root], origin)

    assert done.returncode == 0, done.stderr
    assert (root / "wp-content/plugins/woocommerce/woocommerce.php").is_file()
    assert (root / "wp-content/themes/storefront/storefront.php").is_file()
    assert (root / "wp-content/mu-plugins/urumi.php").read_bytes() == (FILES / "urumi.php").read_bytes()
    assert (root / "wp-config.php").read_text() == "<?php // from the environment\n"


@needs_curl
def test_a_file_with_another_sum_is_refused_with_both_sums(root: Path, copy: Path) -> None:
    write_versions(copy, "0" * 64, SUMS[1])

    with wordpress_org() as origin:
        done = run([copy / "files" / "assemble", root], origin)

    assert done.returncode == 1
    assert f"expected sha256 {'0' * 64}, got {SUMS[0]}" in done.stderr
    assert list((root / "wp-content/plugins").iterdir()) == []


@pytest.mark.parametrize("found", ["", "abc", "x" * 64], ids=["none", "short", "no-number"])
def test_without_a_sum_nothing_is_downloaded(root: Path, copy: Path, found: str) -> None:
    write_versions(copy, found, SUMS[1])

    done = run([copy / "files" / "assemble", root])

    assert done.returncode == 1
    assert f"wrong sha256 sum in versions.env: expected 64 hexadecimal digits, got '{found}'" in done.stderr
    assert "cannot verify woocommerce 1.2.3: " in done.stderr


@needs_curl
def test_a_version_that_does_not_exist_is_refused_by_its_address(root: Path, copy: Path) -> None:
    versions = copy / "files" / "versions.env"
    versions.write_text(versions.read_text().replace("1.2.3", "1.2.4"))

    with wordpress_org() as origin:
        done = run([copy / "files" / "assemble", root], origin)

    assert done.returncode == 1
    assert f"could not download {origin}/plugin/woocommerce.1.2.4.zip: " in done.stderr


@needs_curl
def test_a_stop_ends_a_download_and_leaves_nothing(root: Path, copy: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        environment = {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(tmp_path),
            "URUMI_DOWNLOADS_URL": f"http://127.0.0.1:{mute.getsockname()[1]}",
        }
        before = set(tmp_path.iterdir())
        script = subprocess.Popen([copy / "files" / "assemble", root], env=environment)
        client, _ = mute.accept()
        with client:
            script.terminate()
            assert script.wait(timeout=60) == 143
            client.settimeout(60)
            while client.recv(4096):
                pass
    assert set(tmp_path.iterdir()) == before
    assert list((root / "wp-content/plugins").iterdir()) == []


def test_existing_folders_of_a_base_image_are_kept(root: Path, copy: Path) -> None:
    for kept in ("plugins/woocommerce", "themes/storefront"):
        (root / "wp-content" / kept).mkdir()

    done = run([copy / "files" / "assemble", root])

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("exists already; keeping it") == 2


def test_a_folder_without_wordpress_is_refused(tmp_path: Path) -> None:
    done = run([FILES / "assemble", tmp_path])

    assert done.returncode == 1
    assert f"WordPress not found: expected wp-settings.php in {tmp_path}" in done.stderr


@needs_curl
def test_newer_versions_are_written_with_the_sums_of_the_served_archives(copy: Path) -> None:
    write_versions(copy, "0" * 64, "0" * 64)

    with wordpress_org() as origin:
        done = run([copy / "image" / "refresh-versions"], origin)

    assert done.returncode == 0, done.stderr
    pinned = re.findall(r"^([A-Z_0-9]+)=(.*)$", (copy / "files" / "versions.env").read_text(), re.M)
    assert dict(pinned) == {
        "WOOCOMMERCE_VERSION": "1.2.3",
        "WOOCOMMERCE_SHA256": SUMS[0],
        "STOREFRONT_VERSION": "4.5.6",
        "STOREFRONT_SHA256": SUMS[1],
    }


@needs_curl
def test_unavailable_versions_leave_the_file_unchanged(copy: Path) -> None:
    before = (copy / "files" / "versions.env").read_text()

    with wordpress_org() as origin:
        done = run([copy / "image" / "refresh-versions", "9.9.9"], origin)

    assert done.returncode == 1
    assert "could not download" in done.stderr
    assert "woocommerce.9.9.9.zip: see the message of curl above" in done.stderr
    assert (copy / "files" / "versions.env").read_text() == before
