"""`python -m cluster.setup.inside`: the part of setup.sh that runs in the environment's Python."""

import sys

from cluster.setup.guard import run_program


def run() -> int:
    """Run a command of setup.sh."""
    from cluster.setup import commands

    return commands.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run_program(run))
