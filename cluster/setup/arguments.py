"""The command line of setup.sh. Uses the standard library only."""

from dataclasses import dataclass, field
from pathlib import Path

from cluster.target import Options

CLUSTERS = ("local", "node", "kind", "current")
COMMANDS = ("up", "down", "status", "doctor", "dev", "test", "help")

USAGE = """\
usage: ./setup.sh [--cluster local|node|kind|current] [COMMAND]

  (none)           start Urumi: environment, Kubernetes, server; safe to run again
    --cluster local    etcd, API server and controllers as processes, simulated containers; needs no Docker
    --cluster node     real shops without Docker: a kubelet and containerd on this machine; needs Linux and root
    --cluster kind     a cluster in Docker with real shops; the default if Docker responds
    --cluster current  the cluster of kubectl's current context; asks before it changes anything
    --values FILE      for current: your values for charts/platform; may be given more than once
    --yes              for current: do not ask
  status           print what is running
  down [--purge]   stop the server and the cluster; --purge also deletes their data, token and logs
  doctor           check this machine and print what to do; paste its output into a bug report
  test             install what the tests need and run the tests to trust a change with: about 10 minutes
  test --all       every test on the local cluster, including those that take long
  test --node      only the tests with real containers: needs Linux and root (docs/real-node.md)
  test --docker    only the tests with a Docker engine, which they start themselves: needs Linux and root
  test ARGS...     some tests, as in: test tests/urumi -k wire; ARGS go to pytest
  dev              only create the environment, with every developer tool
  help             print this

The environment is .venv in this folder. The token, the cluster's data and the logs are in URUMI_STATE_DIR, by default
~/.local/state/urumi; the cluster's programs are in URUMI_CACHE_DIR, by default ~/.cache/urumi.
URUMI_PORT is the server's port, by default 8780; URUMI_PYTHON the Python to use; URUMI_TEST_PROCESSES the number of
processes that run the tests, by default 3. docs/docker.md lists the variables of the kind cluster."""


class UsageError(Exception):
    """Raised for an argument that setup.sh does not have."""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(_explained(arguments))


@dataclass(frozen=True, slots=True)
class Arguments:
    """What to do. `cluster` is empty if none was given; `rest` is for pytest."""

    command: str = "up"
    cluster: str = ""
    options: Options = field(default_factory=Options)
    purge: bool = False
    rest: tuple[str, ...] = ()


def parse(given: list[str]) -> Arguments:
    """Return the arguments.

    Raises:
        UsageError: names the first argument that is unknown, and those after it.
    """
    if given and (given[0] in ("-h", "--help")):
        return Arguments("help")
    given = [word for argument in given for word in _words(argument)] if given[:1] != ["test"] else given
    command, rest = ("up", given) if not given or given[0].startswith("--") else (given[0], given[1:])
    if command not in COMMANDS:
        raise UsageError(given)
    if command == "up":
        return _up(rest)
    if command == "test":
        return Arguments(command, rest=tuple(rest))
    if command == "down" and rest == ["--purge"]:
        return Arguments(command, purge=True)
    if rest and command != "help":
        raise UsageError(rest)
    return Arguments(command)


def _words(argument: str) -> list[str]:
    """Return the argument; `--cluster=local` as two."""
    name, equals, value = argument.partition("=")
    return [name, value] if equals and name in ("--cluster", "--values") else [argument]


def _explained(arguments: list[str]) -> str:
    match arguments:
        case ["--cluster", *names]:
            got = f"got {names[0]!r}" if names else "got nothing"
            return f"--cluster needs one of {', '.join(CLUSTERS)}; {got}."
        case ["--values", *_]:
            return "--values needs the path of a file."
    return f"unexpected argument: {' '.join(arguments)}."


def _up(rest: list[str]) -> Arguments:
    cluster, values, yes = "", list[Path](), False
    while rest:
        match rest:
            case ["--cluster", name, *others] if name in CLUSTERS:
                cluster = name
            case ["--values", file, *others] if file:
                values.append(Path(file))
            case ["--yes", *others]:
                yes = True
            case _:
                raise UsageError(rest)
        rest = others
    return Arguments("up", cluster, Options(tuple(values), yes))
