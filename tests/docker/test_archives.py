"""Several images in one archive, as kind's builder of node images reads it."""

import io
import json
import tarfile
from pathlib import Path

from testing.docker.archives import combine


def archive(path: Path, config: str, *layers: str) -> Path:
    """Write a Docker archive with one image."""
    manifest = json.dumps([{"Config": config, "RepoTags": ["other:1"], "Layers": list(layers)}])
    with tarfile.open(path, "w") as target:
        for name, text in {
            **{layer: f"layer {layer}" for layer in layers},
            config: "{}",
            "manifest.json": manifest,
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            target.addfile(info, io.BytesIO(text.encode()))
    return path


def test_images_are_combined_under_their_full_names_with_shared_layers_once(tmp_path: Path) -> None:
    one = archive(tmp_path / "one.tar", "1.json", "base.tar", "one-layer.tar")
    two = archive(tmp_path / "two.tar", "2.json", "base.tar", "two-layer.tar")
    combine({"docker.io/some/one:1": one, "docker.io/some/one:2": two}, tmp_path / "both.tar")
    with tarfile.open(tmp_path / "both.tar") as combined:
        names = combined.getnames()
        contents = {name: file.read() for name in names if (file := combined.extractfile(name))}
    # kind reads the names from whichever comes first; of manifest.json it reads only the first image's.
    assert names[0] == "repositories"
    assert json.loads(contents["repositories"]) == {"docker.io/some/one": {"1": "1", "2": "2"}}
    manifest = json.loads(contents["manifest.json"])
    assert [entry["RepoTags"] for entry in manifest] == [["docker.io/some/one:1"], ["docker.io/some/one:2"]]
    assert sorted(names[2:]) == ["1.json", "2.json", "base.tar", "one-layer.tar", "two-layer.tar"]
    assert contents["two-layer.tar"] == b"layer two-layer.tar"
