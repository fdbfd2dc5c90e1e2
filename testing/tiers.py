"""Selects the tests of a run by what each test uses.

A test that uses the fixture `local_cluster` needs a Kubernetes API server, one that uses `browser` needs Chromium, one
below `tests/shops` needs a shop's servers, one that uses `open_front` needs nginx, which the shops need too, and one
that runs the whole dashboard or setup.sh takes about half a second. The markers `cluster`, `browser`, `shop`,
`dashboard` and `script` follow from that at collection, so there is no list of names to maintain. `thorough`, `slow`,
`node` and `docker` are set on the test.

The default tier runs each test that creates a store, and each test of the page, with its first parameters only (but
for each engine); `--all` runs every combination.

    --fast     tests without any of these markers: seconds
    (none)     tests without `shop`, `thorough`, `node` and `docker`: minutes, the default
    --all      tests without `node` and `docker`: everything on the local cluster
    --node     tests with `node`, and only those
    --docker   tests with `docker`, and only those

A path on the command line selects every test in it except those with `node` or `docker`; the options narrow it further.
"""

from collections.abc import Mapping, Sequence

import pytest

MARKER_OF_FIXTURE = {
    "cluster_programs": "cluster",
    "browser": "browser",
    "whole_dashboard": "dashboard",
    "checkout": "script",
    "open_front": "shop",
}
LEFT_OUT = {
    "fast": {"cluster", "browser", "shop", "dashboard", "script", "slow", "thorough", "node", "docker"},
    "default": {"shop", "thorough", "node", "docker"},
    "all": {"node", "docker"},
}
OPTIONS = {"--fast": "fast", "--all": "all", "--node": "node", "--docker": "docker"}


def add_options(parser: pytest.Parser) -> None:
    """Add an option for each tier."""
    group = parser.getgroup("tiers", "which tests run")
    help_of = {
        "fast": "only tests that need no cluster, browser or shop",
        "all": "also the tests of the shops, and those that take long and that others largely cover",
        "node": "only the tests with real containers (Linux, root)",
        "docker": "only the tests with a Docker engine and a kind cluster (Linux, root)",
    }
    for option, tier in OPTIONS.items():
        group.addoption(option, action="store_const", const=tier, dest="tier", default="", help=help_of[tier])


def choose_tier(config: pytest.Config) -> str:
    """Return the tier of this run; workers of pytest-xdist have the same command line."""
    if not config.option.tier:
        has_paths = config.args_source is pytest.Config.ArgsSource.ARGS
        config.option.tier = "all" if has_paths else "default"
    return str(config.option.tier)


def mark(item: pytest.Item) -> None:
    """Mark a test with what its fixtures need."""
    for name in getattr(item, "fixturenames", ()):
        if name in MARKER_OF_FIXTURE:
            item.add_marker(MARKER_OF_FIXTURE[name])


def select(tier: str, items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the marked tests that belong to a tier."""
    if tier in ("node", "docker"):
        return [item for item in items if item.get_closest_marker(tier)]
    chosen = [item for item in items if LEFT_OUT[tier].isdisjoint(marker.name for marker in item.iter_markers())]
    if tier == "all":
        return chosen
    first: dict[tuple[object, ...], pytest.Item] = {}
    return [item for item in chosen if not _is_costly(item) or first.setdefault(_essence(item), item) is item]


def _is_costly(item: pytest.Item) -> bool:
    makes_a_store = item.get_closest_marker("cluster") and "store_id" in getattr(item, "fixturenames", ())
    return bool(item.get_closest_marker("browser") or (makes_a_store and "store_id" not in _parameters(item)))


def _parameters(item: pytest.Item) -> Mapping[str, object]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec else {}


def _essence(item: pytest.Item) -> tuple[object, ...]:
    return item.path, getattr(item, "originalname", item.name), _parameters(item).get("engine")
