"""Official images: fetched where a registry responds, otherwise built here, and said so for every image."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.node.images import engines, registry, woocommerce
from cluster.node.images.engines import engine_images
from cluster.node.images.image import ensure_images, run_buildah
from cluster.node.images.official import BUSYBOX, REDIS
from testing.node.registry import registry as serving

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]
NO_REGISTRY = '[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:1"\ninsecure = true\n'


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Buildah's configuration, with a registry that does not respond; an empty cache."""
    path = tmp_path / "registries.conf"
    path.write_text(NO_REGISTRY)
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(path))
    monkeypatch.setenv("URUMI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(woocommerce, "TREE", "")
    registry.registry_answers.cache_clear()
    yield path
    registry.registry_answers.cache_clear()


def test_an_official_image_is_fetched_where_a_registry_responds(
    configuration: Path, tmp_path: Path, say: Callable[[str], None]
) -> None:
    ensure_images([BUSYBOX], say)
    run_buildah("push", "--quiet", BUSYBOX.local_name, f"oci:{tmp_path / 'layout'}:latest")
    with serving(tmp_path / "layout", configuration) as requested:
        chosen = registry.choose(REDIS)
        ensure_images([chosen], say)
    assert chosen.name == REDIS.name
    assert chosen.archive.exists()
    assert chosen.pulled
    assert any(path.startswith("/v2/library/redis/manifests/") for path in requested)
    # Later starts need no registry.
    registry.registry_answers.cache_clear()
    configuration.write_text(NO_REGISTRY)
    assert registry.choose(REDIS) == chosen


def test_without_a_registry_every_image_says_what_it_is(configuration: Path) -> None:
    shops = {each.engine: each for each in engine_images()}

    origins = {image.name: origin for image, origin in shops["medusa"].images}
    assert origins["postgres:16.14-bookworm"] == engines.FROM_DEBIAN
    assert origins["redis:7.2.14"] == engines.FROM_DEBIAN
    assert not shops["woocommerce"].images
    assert "URUMI_WORDPRESS_TREE=/folder" in shops["woocommerce"].missing


def test_a_tree_makes_woocommerces_shops_possible(
    configuration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree").mkdir()
    monkeypatch.setattr(woocommerce, "TREE", str(tmp_path / "tree"))

    shops = {each.engine: each for each in engine_images()}

    names = [image.name for image, _ in shops["woocommerce"].images]
    assert names[0] == "mariadb:11.8.8"
    assert names[1].startswith("urumi/woocommerce:")
