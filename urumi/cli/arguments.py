"""What may be typed after `urumi`: every command, its arguments, and which function runs it.

The functions are named, not imported. Which command was asked for is looked up first, so that an extension is loaded
only when it is the one. `--url` and `--token` may stand before or after the command.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING

from urumi import __version__
from urumi.cli.extensions import KNOWN, extensions, load
from urumi.errors import InvalidRequest
from urumi.store import Engine, Phase, check_store_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # The only name that argparse has for what add_subparsers returns.
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]
    Run = Callable[[argparse.Namespace], int]

WAIT_SECONDS = 900.0
# Words for people, and the `sort` of `GET /stores` that each is; newest first is what it does by itself.
SORTS = {"newest": "", "oldest": "createdAt", "id": "storeId", "phase": "phase", "engine": "engine"}

EPILOG = """\
exit codes:
  0  done                       5  the token is missing or wrong
  1  failed                     6  no answer from the server
  2  wrong usage or setting     7  the awaited store Failed, or time ran out
  3  no such store            130  interrupted with ctrl-c
  4  conflict or quota        141  the reader of the output went away

environment:
  URUMI_URL, URUMI_TOKEN   the server and its token; by default what the local server left in its state folder
  URUMI_STATE_DIR          that folder

Data goes to standard output, narration to standard error. --json prints one JSON value; for `watch` and
`events --follow` one on each line."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the arguments with `run`, the function that does what was asked for."""
    parser = argparse.ArgumentParser(
        prog="urumi",
        description="Ask for shops on Kubernetes and watch them come up.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"urumi {__version__}")
    _add_target(parser, default=None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)
    _add_reading(commands)
    _add_changing(commands)
    _add_watching(commands)
    _add_extensions(commands, _asked_for(arguments))
    return parser.parse_args(arguments)


def _asked_for(arguments: Sequence[str]) -> str:
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    _add_target(finder, default=None)
    finder.add_argument("command", nargs="?", default="")
    try:
        return str(finder.parse_known_args(arguments)[0].command)
    except argparse.ArgumentError:
        return ""  # the real parser says what is wrong


def _add_reading(commands: Parsers) -> None:
    listing = _command(commands, "list", "all stores, or some of them", "urumi.cli.commands.list:list_stores")
    listing.add_argument("--phase", type=_phase, metavar="PHASE", help=f"only these: {_words(Phase)}")
    listing.add_argument("--engine", choices=list(map(str, Engine)), help="only stores of this engine")
    listing.add_argument("--text", default="", help="only stores with this in their id")
    listing.add_argument("--sort", choices=SORTS, default="newest", help="their order; default: newest first")
    one = _command(commands, "get", "one store: where it stands and why", "urumi.cli.commands.list:get_store")
    _add_store_id(one)
    words = "the admin account of a store, its password in plain text"
    _add_store_id(_command(commands, "credentials", words, "urumi.cli.commands.credentials:read_credentials"))


def _add_changing(commands: Parsers) -> None:
    create = _command(commands, "create", "ask for a store", "urumi.cli.commands.create:create_store")
    _add_store_id(create)
    create.add_argument("--engine", required=True, choices=list(map(str, Engine)), help="the shop software")
    _add_waiting(create, "stay until it is Ready (exit code 0) or Failed (7)")
    delete = _command(commands, "delete", "delete a store with all its data", "urumi.cli.commands.delete:delete_store")
    _add_store_id(delete)
    delete.add_argument("--yes", action="store_true", help="do not ask")
    _add_waiting(delete, "stay until nothing of it is left")
    verify = _command(
        commands, "verify", "place an order in its shop and take it back", "urumi.cli.commands.verify:verify_store"
    )
    _add_store_id(verify)
    retry = _command(commands, "retry", "make the next attempt now", "urumi.cli.commands.create:retry_store")
    _add_store_id(retry)


def _add_watching(commands: Parsers) -> None:
    events = _command(commands, "events", "the timeline of a store", "urumi.cli.commands.events:list_events")
    _add_store_id(events)
    events.add_argument("--follow", action="store_true", help="stay and print what happens next")
    watch = _command(
        commands, "watch", "every change, a line each, until ctrl-c", "urumi.cli.commands.watch:watch_stores"
    )
    watch.add_argument("store_ids", metavar="ID", nargs="*", type=_store_id, help="only these stores")


def _add_extensions(commands: Parsers, asked_for: str) -> None:
    for name, point in extensions().items():
        extension = load(point) if name == asked_for else None
        words = extension.help if extension else KNOWN.get(name, "a command of another package")
        parser = commands.add_parser(name, help=words, description=words)
        if extension:
            extension.configure(parser)
            parser.set_defaults(run=extension.run)


def _command(commands: Parsers, name: str, words: str, function: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words, description=words, allow_abbrev=False)
    parser.set_defaults(run=_late(function))
    parser.add_argument("--json", action="store_true", help="print JSON")
    # What was given before the command must not be overwritten by a default from behind it.
    _add_target(parser, default=argparse.SUPPRESS)
    return parser


def _late(function: str) -> Run:
    module, _, name = function.partition(":")

    def run(args: argparse.Namespace) -> int:
        return int(getattr(import_module(module), name)(args))

    return run


def _add_target(parser: argparse.ArgumentParser, *, default: str | None) -> None:
    parser.add_argument("--url", default=default, help="the server; default: URUMI_URL, or the local server")
    parser.add_argument("--token", default=default, help="its token; URUMI_TOKEN keeps it out of the process list")


def _add_store_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("store_id", metavar="ID", type=_store_id, help="the store's id, such as shop-1")


def _add_waiting(parser: argparse.ArgumentParser, words: str) -> None:
    parser.add_argument("--wait", action="store_true", help=words)
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help=f"how long --wait waits at most; default {WAIT_SECONDS:.0f}",
    )


def _store_id(text: str) -> str:
    try:
        return check_store_id(text)
    except InvalidRequest as error:
        raise argparse.ArgumentTypeError(error.sentence()) from error


def _phase(text: str) -> str:
    for phase in Phase:
        if phase.value.lower() == text.lower():
            return phase.value
    raise argparse.ArgumentTypeError(f"must be one of {_words(Phase)}, got {text!r}")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, got {text!r}")
    return seconds


def _words(choices: type[Phase]) -> str:
    return ", ".join(map(str, choices))
