"""`urumi cluster`: starts and stops the local cluster, and prints its status.

Standard output is data: the path of the kubeconfig, or the status. Progress goes to standard error.
Exit codes: 0 done, 1 failed (`status`: degraded), 2 wrong usage, 3 not running (`status` only).
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable

from cluster.errors import ClusterError
from cluster.folders import cache_root
from cluster.local.cluster import ClusterInfo, ClusterState, ClusterStatus, LocalCluster
from cluster.programs.binaries import ensure_binaries

STATUS_CODES = {ClusterState.UP: 0, ClusterState.DEGRADED: 1, ClusterState.DOWN: 3}


class ClusterCommand:
    """The command `urumi cluster`."""

    help = "a local Kubernetes without Docker: up, down, status"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the subcommands."""
        actions = parser.add_subparsers(dest="cluster_action", metavar="up|down|status", required=True)
        up = actions.add_parser("up", help="start the cluster, or the components that are not running")
        up.add_argument("--nodes", type=_node_count, default=1, help="minimum number of simulated nodes (default: 1)")
        down = actions.add_parser("down", help="stop the cluster and keep its data")
        down.add_argument("--purge", action="store_true", help="also delete its data, credentials and logs")
        status = actions.add_parser("status", help="print the status of the cluster")
        status.add_argument("--json", action="store_true", help="print JSON")

    def run(self, args: argparse.Namespace) -> int:
        """Run the subcommand and return the exit code."""
        try:
            if args.cluster_action == "up":
                print(start(_say, args.nodes).kubeconfig)  # noqa: T201
                return 0
            if args.cluster_action == "down":
                stop(_say, args.purge)
                return 0
            return print_status(args.json)
        except ClusterError as error:
            _say(f"error: {error.sentence()}")
        except OSError as error:
            _say(f"error: {error}. Check the folder's permissions and the free space.")
        return 1


command = ClusterCommand()


def ensure_programs(say: Callable[[str], None]) -> None:
    """Build the programs of the local cluster that are not in the cache.

    Raises:
        BuildError: they could not be built.
    """
    ensure_binaries(cache_root(), lambda build: say(build.sentence()), say)


def start(say: Callable[[str], None], node_count: int = 1) -> ClusterInfo:
    """Start the local cluster and say how long it took.

    Raises:
        ClusterError: the programs could not be built, or a component did not start.
    """
    started = time.monotonic()
    info = LocalCluster(node_count=node_count).up(say)
    say(f"Kubernetes is ready at {info.server} after {time.monotonic() - started:.1f} s, with simulated containers.")
    say(f"Programs, including kubectl and helm: {info.bin_dir}")
    return info


def stop(say: Callable[[str], None], purge: bool) -> None:
    """Stop the local cluster; with `purge`, also delete its data.

    Raises:
        StopError: a process survived.
    """
    cluster = LocalCluster()
    before = cluster.status()
    if before.state is ClusterState.DOWN:
        say("The cluster is not running.")
    cluster.down(purge)
    if before.state is not ClusterState.DOWN:
        say("Cluster stopped." if purge else "Cluster stopped. Its data is kept for the next start.")
    if purge:
        say("Data, credentials and logs deleted.")


def print_status(as_json: bool = False, repair: str = "urumi cluster up") -> int:
    """Print the status of the local cluster and return the exit code; `repair` is the command that starts it."""
    status = LocalCluster().status()
    text = json.dumps(dataclasses.asdict(status), default=str, indent=2) if as_json else _as_text(status, repair)
    print(text, flush=True)  # noqa: T201
    return STATUS_CODES[status.state]


def _as_text(status: ClusterStatus, repair: str) -> str:
    rows = [("cluster", str(status.state))]
    if status.state is not ClusterState.DOWN:
        rows.append(("API server", str(status.server)))
        rows.append(("kubeconfig", str(status.kubeconfig)))
        rows.append(("nodes", f"{len(status.ready_nodes)}/{len(status.nodes)} ready, containers are simulated"))
        rows += [
            (item.name, f"pid {item.pid}" if item.pid else f"not running; see {item.log}") for item in status.components
        ]
    rows += [("problem", problem) for problem in status.problems]
    if status.state is not ClusterState.UP:
        rows.append(("next", repair))
    return "\n".join(f"{name:<25}{value}" for name, value in rows)


def _node_count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= count <= 100:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 100, got {text!r}")
    return count


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201
