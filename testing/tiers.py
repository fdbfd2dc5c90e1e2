"""Which tests a run has, chosen by what each test uses.

A test that uses the fixture `local_cluster` needs a Kubernetes API server, one that uses `browser` needs Chromium, one
below `tests/shops` needs a shop's servers. The markers `cluster`, `browser` and `shop` follow from that at collection,
so no list of names has to be kept. `thorough`, `slow` and `node` are set where the test is written.

    --fast     tests without any of these markers: seconds
    (none)     tests without `thorough` and `node`: minutes, what a newcomer runs
    --all      tests without `node`: everything on the local cluster
    --node     tests with `node`, and only those

A path on the command line selects every test in it but those with `node`; the options narrow it further.
"""

import pytest

MARKER_OF_FIXTURE = {"cluster_programs": "cluster", "browser": "browser"}
LEFT_OUT = {
    "fast": {"cluster", "browser", "shop", "slow", "thorough", "node"},
    "newcomer": {"thorough", "node"},
    "all": {"node"},
}
OPTIONS = {"--fast": "fast", "--all": "all", "--node": "node"}


def add_options(parser: pytest.Parser) -> None:
    """Add an option for each tier."""
    group = parser.getgroup("tiers", "which tests run")
    help_of = {
        "fast": "only tests that need no cluster, browser or shop",
        "all": "also the tests that take long and that other tests largely cover",
        "node": "only the tests with real containers (Linux, root)",
    }
    for option, tier in OPTIONS.items():
        group.addoption(option, action="store_const", const=tier, dest="tier", default="", help=help_of[tier])


def choose_tier(config: pytest.Config) -> str:
    """Return the tier of this run; workers of pytest-xdist get it from the process that started them."""
    if not config.option.tier:
        has_paths = config.args_source is pytest.Config.ArgsSource.ARGS
        config.option.tier = "all" if has_paths else "newcomer"
    return str(config.option.tier)


def mark(item: pytest.Item) -> None:
    """Mark a test with what its fixtures need."""
    for name in getattr(item, "fixturenames", ()):
        if name in MARKER_OF_FIXTURE:
            item.add_marker(MARKER_OF_FIXTURE[name])


def is_in(tier: str, item: pytest.Item) -> bool:
    """Return whether a marked test belongs to a tier."""
    markers = {marker.name for marker in item.iter_markers()}
    return "node" in markers if tier == "node" else not markers & LEFT_OUT[tier]
