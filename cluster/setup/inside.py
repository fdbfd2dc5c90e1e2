"""`python -m cluster.setup.inside`: the part of setup.sh that runs in the environment's Python."""

import sys


def main() -> int:
    """Run a command of setup.sh."""
    try:
        from cluster.setup.commands import run
        from cluster.setup.guard import guarded
    except KeyboardInterrupt:
        return 130
    return guarded(lambda: run(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
