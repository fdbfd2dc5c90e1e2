"""`python -m cluster.setup`: prepares the environment, then continues in its Python.

This part runs on any Python from 3.11 with the standard library only; setup.sh finds one.
"""

import sys


def main() -> int:
    """Run setup.sh until the environment's Python takes over."""
    try:
        from cluster.setup.bootstrap import bootstrap
        from cluster.setup.guard import guarded
    except KeyboardInterrupt:
        return 130
    return guarded(lambda: bootstrap(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
