"""`python -m cluster`: the same as `urumi cluster`."""

import argparse
import sys

from cluster.command import command


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m cluster", description=command.help)
    command.configure(parser)
    try:
        return command.run(parser.parse_args())
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
