"""Shell completion: every command, flag and choice, files, and the ids of stores, in every shell that is installed."""

import argparse
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from testing.peer.server import Peer
from testing.stores import make_store
from tests.urumi.command import Command
from tests.urumi.shells import offered_by_bash, offered_by_fish, offered_by_zsh
from urumi.cli.arguments import ENGINES, PHASES, SORTS, make_parser
from urumi.completion import SHELLS

pytestmark = pytest.mark.slow

OFFERED = {"bash": offered_by_bash, "zsh": offered_by_zsh, "fish": offered_by_fish}

Complete = Callable[..., set[str]]


@pytest.fixture(params=SHELLS)
def complete(request: pytest.FixtureRequest, urumi: Command, tmp_path: Path) -> Complete:
    """Return what a shell offers at the end of a line, with `urumi` on PATH."""
    shell = str(request.param)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = tmp_path / "bin" / "urumi"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m urumi.cli.main "$@"\n')
    program.chmod(0o755)
    script = tmp_path / f"completion.{shell}"
    script.write_text(urumi("--print-completion", shell).out)
    path = f"{program.parent}:{os.environ['PATH']}"

    def offered(line: str, **environ: str) -> set[str]:
        return OFFERED[shell](script, line, {**urumi.environ, "PATH": path, "TERM": "dumb", **environ})

    return offered


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    parser = make_parser()
    action = next(each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return dict(action.choices)


def test_every_command_is_offered(complete: Complete) -> None:
    assert complete("urumi ") == set(commands())
    assert complete("urumi cr") == {"create", "credentials"}


def test_the_flags_of_every_command_are_offered(complete: Complete) -> None:
    for name, parser in commands().items():
        flags = {flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")}
        assert complete(f"urumi {name} --") == flags, name


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("urumi create shop-1 --engine ", ENGINES),
        ("urumi list --phase ", PHASES),
        ("urumi list --sort ", list(SORTS)),
        ("urumi --print-completion ", list(SHELLS)),
        ("urumi cluster ", ["up", "down", "status"]),
        ("urumi cluster down --p", ["--purge"]),
        ("urumi --url http://127.0.0.1:1 retr", ["retry"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_choices_are_offered(complete: Complete, line: str, choices: list[str]) -> None:
    assert complete(line) == set(choices)


def test_files_are_offered_for_a_path(complete: Complete, tmp_path: Path) -> None:
    folder = tmp_path / "Ada's & mü"
    folder.mkdir()
    (folder / "kubeconfig.yaml").touch()
    typed = re.sub(r"([^\w/.-])", r"\\\1", f"{folder}/kubec")
    offered = complete(f"urumi serve --kubeconfig {typed}")
    assert "kubeconfig.yaml" in {Path(each).name for each in offered}


def test_ids_of_stores_are_offered(complete: Complete, peer: Peer) -> None:
    for store_id in ("shop-1", "shop-2", "demo"):
        peer.put(make_store(store_id))
    assert complete("urumi get ") == {"shop-1", "shop-2", "demo"}
    assert complete("urumi watch demo sh") == {"shop-1", "shop-2"}
    assert complete("urumi create sh") == set()


def test_every_command_on_an_existing_store_completes_its_id() -> None:
    completed = {
        name
        for name, parser in commands().items()
        for action in parser._actions
        if action.dest in ("store_id", "store_ids") and hasattr(action, "complete")
    }
    assert completed == {"get", "credentials", "delete", "verify", "retry", "events", "watch"}


def test_ids_come_from_the_server_on_the_command_line(complete: Complete, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    peer.token = "a-token"
    line = f"urumi --url {peer.url} --token {peer.token} get "
    assert complete(line, URUMI_URL="http://127.0.0.1:9", URUMI_TOKEN="another") == {"shop-1"}


@pytest.mark.parametrize("trouble", ["no server", "wrong token", "wrong setting", "no program"])
def test_without_a_usable_server_nothing_is_completed_or_printed(complete: Complete, peer: Peer, trouble: str) -> None:
    peer.put(make_store("shop-1"))
    environ = {
        "no server": {"URUMI_URL": "http://127.0.0.1:9"},
        "wrong token": {"URUMI_TOKEN": "wrong"},
        "wrong setting": {"URUMI_URL": "nonsense"},
        "no program": {"PATH": os.environ["PATH"].replace(f"{Path(sys.executable).parent}:", "")},
    }[trouble]
    assert complete("urumi get ", **environ) == set()


def test_an_id_that_is_a_command_is_never_executed(complete: Complete, peer: Peer, tmp_path: Path) -> None:
    peer.put(make_store(f"$(touch {tmp_path}/run)"))
    peer.put(make_store(f"`touch {tmp_path}/run`"))
    peer.put(make_store("shop-1"))
    assert "shop-1" in complete("urumi get ")
    assert not (tmp_path / "run").exists()


def test_an_extension_that_cannot_be_loaded_completes_as_a_name(urumi: Command, tmp_path: Path) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[urumi.commands]\nbroken = no_such_module:command\n")
    done = urumi("--print-completion", "fish", PYTHONPATH=str(tmp_path))
    assert (done.code, done.err) == (0, "")
    assert "-a broken" in done.out


def test_an_unsupported_shell_is_rejected(urumi: Command) -> None:
    done = urumi("--print-completion", "tcsh")
    assert (done.code, done.out) == (2, "")
    assert "invalid choice: 'tcsh' (choose from " in done.err
