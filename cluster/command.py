"""`urumi cluster`: brings the local cluster up, takes it down, says how it is.

Standard output is data: the path of the kubeconfig, or the status. What is being done goes to standard error.
Exit codes: 0 done, 1 failed (or degraded, for `status`), 2 wrong usage, 3 not running (for `status`).
"""

import argparse
import dataclasses
import json
import sys
import time

from cluster.errors import ClusterError
from cluster.local import ClusterState, ClusterStatus, ComponentStatus, LocalCluster

STATUS_CODES = {ClusterState.UP: 0, ClusterState.DEGRADED: 1, ClusterState.DOWN: 3}


class ClusterCommand:
    """The command `urumi cluster`."""

    help = "a local Kubernetes without Docker: up, down, status"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the subcommands."""
        actions = parser.add_subparsers(dest="cluster_action", metavar="up|down|status", required=True)
        up = actions.add_parser("up", help="start the cluster, or what is missing of it")
        up.add_argument("--nodes", type=_node_count, default=1, help="how many simulated nodes at least; default 1")
        down = actions.add_parser("down", help="stop the cluster; its data stays")
        down.add_argument("--purge", action="store_true", help="also delete its data, credentials and logs")
        status = actions.add_parser("status", help="say how the cluster is")
        status.add_argument("--json", action="store_true", help="as JSON")

    def run(self, args: argparse.Namespace) -> int:
        """Do what was asked for; return the exit code."""
        try:
            if args.cluster_action == "up":
                return _up(args.nodes)
            if args.cluster_action == "down":
                return _down(args.purge)
            return _status(args.json)
        except ClusterError as error:
            _say(f"error: {error.sentence()}")
        except OSError as error:
            _say(f"error: {error}. Check the folder's permissions and the free space.")
        return 1


command = ClusterCommand()


def _up(node_count: int) -> int:
    started = time.monotonic()
    info = LocalCluster(node_count=node_count).up(_say)
    _say(
        f"Kubernetes at {info.server} is ready after {time.monotonic() - started:.1f} s. Its containers are simulated."
    )
    _say(f"Its programs, kubectl and helm among them: {info.bin_dir}")
    print(info.kubeconfig)  # noqa: T201
    return 0


def _down(purge: bool) -> int:
    cluster = LocalCluster()
    before = cluster.status()
    if before.state is ClusterState.DOWN:
        _say("The cluster is not running.")
    cluster.down(purge)
    if before.state is not ClusterState.DOWN:
        _say("The cluster is stopped." if purge else "The cluster is stopped; its data stays for the next start.")
    if purge:
        _say("Its data, credentials and logs are deleted.")
    return 0


def _status(as_json: bool) -> int:
    status = LocalCluster().status()
    print(json.dumps(dataclasses.asdict(status), default=str, indent=2) if as_json else _in_words(status))  # noqa: T201
    return STATUS_CODES[status.state]


def _in_words(status: ClusterStatus) -> str:
    lines = [f"cluster     {status.state}"]
    if status.state is not ClusterState.DOWN:
        lines.append(f"server      {status.server}")
        lines.append(f"kubeconfig  {status.kubeconfig}")
        lines.append(f"nodes       {len(status.ready_nodes)}/{len(status.nodes)} ready, containers are simulated")
        lines += [_component_in_words(item) for item in status.components]
    lines += [f"problem     {problem}" for problem in status.problems]
    if status.state is not ClusterState.UP:
        lines.append("next        urumi cluster up")
    return "\n".join(lines)


def _component_in_words(item: ComponentStatus) -> str:
    state = f"pid {item.pid}" if item.pid else f"not running, its log: {item.log}"
    return f"{item.name:<25}{state}"


def _node_count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= count <= 100:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 100, got {text!r}")
    return count


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201
