"""The seed of a run: printed in the header and with every failure, repeated with `--seed`.

Everything random in a test comes from the fixture `rng`, or from `derived(...)` for a whole number. Both
depend on the seed and on the test's name only, so one failed test is replayed alone: `./setup.sh test TEST --seed N`.
"""

import secrets
import zlib

import pytest

KEY = "urumi_seed"


def add_option(parser: pytest.Parser) -> None:
    """Add --seed."""
    parser.addoption("--seed", type=int, default=None, help="replay the random choices of an earlier run")


def seed_of(config: pytest.Config) -> int:
    """Return the seed of this run; a worker of pytest-xdist has it from the process that started it."""
    if config.option.seed is None:
        config.option.seed = getattr(config, "workerinput", {}).get(KEY, secrets.randbelow(10**6))
    return int(config.option.seed)


def derived(config: pytest.Config, name: str) -> int:
    """Return a seed for one test, below 2**32; Python's own hash differs between processes."""
    return zlib.crc32(f"{seed_of(config)} {name}".encode())
