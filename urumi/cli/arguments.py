"""The command line of `urumi`: every command, its arguments, and the function that runs it.

Commands are named, not imported: the module in `urumi.cli.commands` is imported when the command runs. The requested
command is determined first, so that an extension is loaded only if it is the one. `--url` and `--token` are accepted
before and after the command.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING

from urumi import __version__
from urumi.cli.extensions import KNOWN, extensions, load
from urumi.completion import add_print_completion, complete_store_ids
from urumi.errors import InvalidRequest, UrumiError
from urumi.parser import PlainParser
from urumi.store import Engine, Phase, check_store_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    # The only name that argparse has for the return type of add_subparsers.
    Parsers = argparse._SubParsersAction[PlainParser]

WAIT_SECONDS = 900.0
LIST_SECONDS = 10.0
# The `sort` parameter of `GET /stores` for each choice; the server's default is newest first.
SORTS = {"newest": "", "oldest": "createdAt", "id": "storeId", "phase": "phase", "engine": "engine"}
ENGINES = [engine.value for engine in Engine]
PHASES = [phase.value for phase in Phase if phase is not Phase.DELETED]

EPILOG = """\
exit codes:
  0  success                    5  token missing, not accepted or without permission
  1  failure                    6  server unreachable
  2  invalid usage or setting   7  the awaited store failed, or the timeout elapsed
  3  no such store            130  interrupted with ctrl-c
  4  conflict or limit        141  output pipe closed

environment:
  URUMI_URL, URUMI_TOKEN   the server and its token; default: those of the local server, from its state folder
  URUMI_STATE_DIR          that folder

Data goes to standard output, messages go to standard error. --json prints one JSON value; `watch` and
`events --follow` print one per line."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the parsed arguments; their `run` runs the command and returns the exit code.

    Raises:
        UrumiError: if the requested command is an extension that cannot be loaded.
    """
    finder = PlainParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    _add_target(finder, default=None)
    finder.add_argument("command", nargs="?", default="")
    try:
        command = str(finder.parse_known_args(arguments)[0].command)
    except argparse.ArgumentError:
        command = ""  # the parser below reports the error
    return make_parser(command).parse_args(arguments)


def make_parser(requested: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Args:
        requested: the only command that is loaded if it is an extension; None to load every extension that can be.

    Raises:
        UrumiError: if the requested command is an extension that cannot be loaded.
    """
    parser = PlainParser(
        prog="urumi",
        description="Create stores on Kubernetes and follow their progress.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"urumi {__version__}")
    add_print_completion(parser, make_parser)
    _add_target(parser, default=None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)
    _add_commands(commands)
    for name, point in extensions().items():
        extension = None
        try:
            extension = load(point) if requested in (name, None) else None
        except UrumiError:
            if requested is not None:
                raise
        help_text = extension.help if extension else KNOWN.get(name, "a command of another package")
        command = commands.add_parser(name, help=help_text, description=_sentence(help_text))
        if extension:
            extension.configure(command)
            command.set_defaults(run=extension.run)
    return parser


def _add_commands(commands: Parsers) -> None:
    command = _add_command(commands, "list", "list all stores, or some of them", has_wide=True, has_store_id=False)
    command.add_argument("--quiet", action="store_true", help="print only the ids")
    command.add_argument(
        "--phase",
        type=str.capitalize,
        choices=PHASES,
        metavar="PHASE",
        help=f"only stores in this phase: {', '.join(PHASES)}",
    )
    command.add_argument("--engine", choices=ENGINES, help="only stores with this engine")
    command.add_argument("--text", default="", help="only stores with this text in their id")
    command.add_argument("--sort", choices=list(SORTS), default="newest", help="the order; default: newest")
    _add_timeout(command, LIST_SECONDS, "how long to wait for the server")

    _add_command(commands, "get", "show the state of a store and the reasons for it", has_wide=True)

    _add_command(commands, "credentials", "show the admin account of a store, including its password")

    command = _add_command(commands, "create", "create a store", has_store_id=False)
    command.add_argument("store_id", metavar="ID", type=_store_id, help="the id of the new store, such as shop-1")
    command.add_argument("--engine", required=True, choices=ENGINES, help="the shop software")
    command.add_argument("--wait", action="store_true", help="wait until it is Ready (exit code 0) or Failed (7)")
    _add_timeout(command, WAIT_SECONDS, "how long --wait waits")

    command = _add_command(commands, "delete", "delete a store and all its data")
    command.add_argument("--yes", action="store_true", help="delete without confirmation")
    command.add_argument("--wait", action="store_true", help="wait until nothing of it is left")
    _add_timeout(command, WAIT_SECONDS, "how long --wait waits")

    _add_command(commands, "verify", "place a test order in a store's shop and cancel it", has_wide=True)

    _add_command(commands, "retry", "retry a store now")

    command = _add_command(commands, "events", "show the timeline of a store", has_wide=True)
    command.add_argument("--follow", action="store_true", help="keep printing new events")

    command = _add_command(commands, "watch", "print every change on a line, until ctrl-c", has_store_id=False)
    store_ids = command.add_argument("store_ids", metavar="ID", nargs="*", type=_store_id, help="only these stores")
    complete_store_ids(store_ids)


def _add_command(
    commands: Parsers, name: str, help_text: str, *, has_store_id: bool = True, has_wide: bool = False
) -> argparse.ArgumentParser:
    def run(args: argparse.Namespace) -> int:
        result = import_module(f"urumi.cli.commands.{name}").run(args)
        if isinstance(result, int):
            return result
        import asyncio

        return int(asyncio.run(result))

    parser = commands.add_parser(name, help=help_text, description=_sentence(help_text), allow_abbrev=False)
    parser.set_defaults(run=run)
    if has_store_id:
        complete_store_ids(
            parser.add_argument("store_id", metavar="ID", type=_store_id, help="the id of the store, such as shop-1")
        )
    parser.add_argument("--json", action="store_true", help="print JSON")
    if has_wide:
        parser.add_argument("--wide", action="store_true", help="print full lines, even if the terminal is narrower")
    # A default here would overwrite what was given before the command.
    _add_target(parser, default=argparse.SUPPRESS)
    return parser


def _add_target(parser: argparse.ArgumentParser, *, default: str | None) -> None:
    parser.add_argument("--url", default=default, help="the server; default: URUMI_URL, or the local server")
    parser.add_argument("--token", default=default, help="its token; URUMI_TOKEN keeps it out of the process list")


def _add_timeout(parser: argparse.ArgumentParser, seconds: float, help_text: str) -> None:
    help_text = f"{help_text}; default: {seconds:.0f}"
    parser.add_argument("--timeout", type=_seconds, default=seconds, metavar="SECONDS", help=help_text)


def _sentence(help_text: str) -> str:
    return f"{help_text[0].upper()}{help_text[1:]}."


def _store_id(text: str) -> str:
    try:
        return check_store_id(text)
    except InvalidRequest as error:
        raise argparse.ArgumentTypeError(error.sentence()) from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, got {text!r}")
    return seconds
