"""`python -m cluster.setup`: prepares the environment, then continues in its Python.

This part runs on any Python from 3.11 with the standard library only; setup.sh finds one.
"""

import sys

from cluster.setup.guard import run_program


def run() -> int:
    """Run setup.sh until the environment's Python takes over."""
    from cluster.setup.bootstrap import bootstrap

    return bootstrap(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run_program(run))
