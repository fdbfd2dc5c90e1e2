"""The command as a process: data on stdout, messages on stderr, exit codes, errors in one line."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from testing.peer.server import Peer
from testing.stores import event, failed, make_store, provisioning
from tests.urumi.command import URUMI, Command
from urumi import __version__
from urumi.wire import dump

HEAVY = ("asyncio", "httpx2", "pydantic", "server", "starlette", "textual", "tui", "websockets")


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from urumi.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for name in ("list", "get", "credentials", "create", "delete", "retry", "events", "watch", "serve", "cluster"):
        assert f"\n    {name} " in done.stdout


def test_version(urumi: Command) -> None:
    assert urumi("--version").out == f"urumi {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["splendid"], "invalid choice: 'splendid'"),
        (["create", "shop-1"], "--engine"),
        (["create", "shop-1", "--engine", "shopify"], "invalid choice: 'shopify'"),
        (["create", "Shop 1", "--engine", "medusa"], "may hold lower-case letters"),
        (["create", "shop-1", "--engine", "medusa", "--wait", "--timeout", "soon"], "must be a number of seconds"),
        (["get", "../healthz"], "may hold lower-case letters"),
        (["list", "--phase", "Splendid"], "invalid choice: 'Splendid' (choose from "),
        (["list", "--url", "localhost"], "The server URL must be like"),
        (["--url"], "expected one argument"),
        (["delete", "shop-1"], "Store shop-1 not deleted: stdin is not a terminal. Pass --yes"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_invalid_usage_is_reported_and_sends_no_request(
    urumi: Command, peer: Peer, arguments: list[str], message: str
) -> None:
    done = urumi(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert peer.requests == []


def test_list_is_a_whole_table_in_a_pipe(urumi: Command, peer: Peer) -> None:
    message = "waiting for " + ", ".join(f"part-{number} 0/1" for number in range(40))
    peer.put(provisioning("shop-1", message))
    peer.put(make_store("shop-22"))
    done = urumi("list", COLUMNS="40")
    lines = done.out.splitlines()
    assert lines[0].split() == ["NAME", "PHASE", "PROGRESS", "ENGINE", "URL", "AGE"]
    assert message in lines[1]
    assert lines[2].startswith("shop-22  Ready")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("columns", [40, 80, 120, 200])
def test_list_fits_a_terminal(urumi: Command, peer: Peer, columns: int) -> None:
    peer.put(provisioning("shop-1", "waiting for " + "x" * 300))
    lines = urumi.on_screen(columns, "list").splitlines()
    assert max(map(len, lines)) <= columns
    assert "…" in lines[1]


def test_list_wide_is_a_whole_table_in_a_terminal(urumi: Command, peer: Peer) -> None:
    peer.put(provisioning("shop-1", "waiting for " + "x" * 300))
    assert "x" * 300 in urumi.on_screen(40, "list", "--wide")
    assert urumi.on_screen(40, "list", "--wide") == urumi("list").out


def test_list_quiet_is_one_id_a_line_and_nothing_else(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1", simulated=True))
    peer.put(failed("shop-2"))
    done = urumi("list", "--quiet")
    assert (done.code, done.out, done.err) == (0, "shop-1\nshop-2\n", "")


def test_list_gives_up_on_a_server_that_does_not_respond_in_time(urumi: Command) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        done = urumi("list", "--timeout", "0.1", "--url", url)
    assert done.code == 6
    assert f"Server {url} unreachable: the request timed out." in done.err


@pytest.mark.parametrize(
    "environ",
    [{"TERM": "dumb", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}],
    ids=["locale", "encoding"],
)
def test_an_ascii_terminal_gets_ascii_only_and_no_escape_sequences(
    urumi: Command, peer: Peer, environ: dict[str, str]
) -> None:
    urumi.environ |= environ
    peer.put(failed("shop-1", events=[dump(event("Failed", "wärmt auf " * 20))]))
    peer.put(provisioning("shop-2", "wärmt auf " * 20))
    for arguments in (["list"], ["get", "shop-1"], ["events", "shop-1"], ["--help"]):
        shown = urumi.on_screen(80, *arguments)
        assert shown.isascii()
        assert "\x1b" not in shown
    assert "..." in urumi.on_screen(80, "list")


@pytest.mark.parametrize("arguments", [["get", "shop-1"], ["events", "shop-1"]], ids=" ".join)
def test_a_long_message_is_wrapped_in_a_terminal_and_whole_in_a_pipe(
    urumi: Command, peer: Peer, arguments: list[str]
) -> None:
    message = "waiting for " + ", ".join(f"part-{number} 0/1" for number in range(40))
    peer.put(provisioning("shop-1", message, events=[dump(event("HelmInstallStarted", message))]))
    shown = urumi.on_screen(60, *arguments)
    assert max(map(len, shown.splitlines())) <= 60
    assert message in " ".join(shown.split())
    assert message in urumi(*arguments).out
    assert message in urumi.on_screen(60, *arguments, "--wide")


def test_list_is_filtered_by_the_server(urumi: Command, peer: Peer) -> None:
    urumi("list", "--phase", "ready", "--engine", "medusa", "--text", "shop")
    assert peer.requests[0][1] == "/stores?phase=Ready&engine=medusa&q=shop"


def test_list_is_sorted_by_the_server(urumi: Command, peer: Peer) -> None:
    urumi("list", "--sort", "oldest")
    assert peer.requests[0][1] == "/stores?sort=createdAt"
    assert "invalid choice: 'age'" in urumi("list", "--sort", "age").err


def test_an_empty_list_has_a_hint_and_no_data(urumi: Command) -> None:
    done = urumi("list")
    assert (done.code, done.out) == (0, "")
    assert "urumi create shop-1 --engine woocommerce" in done.err
    assert "No stores match." in urumi("list", "--text", "x").err
    assert urumi("list", "--json").json == {"items": []}


def test_json_is_the_response_of_the_api(urumi: Command, peer: Peer) -> None:
    store = provisioning("shop-1", "wärmt auf", events=[dump(event("NamespaceReady"))])
    peer.put(store)
    assert urumi("list", "--json").json == {"items": [dump(store)]}
    assert urumi("get", "shop-1", "--json").json == dump(store)
    assert urumi("events", "shop-1", "--json").json == {"storeId": "shop-1", "items": dump(store)["events"]}
    assert urumi("retry", "shop-1", "--json").json == dump(store)


def test_get_prints_the_error_its_hint_and_the_timeline(urumi: Command, peer: Peer) -> None:
    peer.put(failed(events=[dump(event("Failed", "no image", level="error"))]))
    done = urumi("get", "shop-1")
    for text in ("Failed", "ImagePullBackOff", "Check the image.", "no image", "store-shop-1"):
        assert text in done.out
    assert (done.code, done.err) == (0, "")


def test_credentials_are_the_admin_account(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    done = urumi("credentials", "shop-1")
    assert done.out.splitlines() == [
        "Admin     http://shop-1.127.0.0.1.nip.io/admin",
        "Username  admin",
        "Password  password-of-shop-1",
    ]
    assert (done.code, done.err) == (0, "")
    assert urumi("credentials", "shop-1", "--json").json["password"] == "password-of-shop-1"


def test_events_are_lines(urumi: Command, peer: Peer) -> None:
    peer.put(make_store(events=[dump(event("NamespaceReady", "there", seconds=0.2))]))
    assert urumi("events", "shop-1").out == "2026-11-24T10:00:00Z  NamespaceReady  there  (0.2 s)\n"
    peer.put(make_store("shop-2"))
    done = urumi("events", "shop-2")
    assert (done.out, done.err) == ("", "Store shop-2 has no events yet.\n")


def test_create_prints_the_store_and_how_to_follow_it(urumi: Command, peer: Peer) -> None:
    done = urumi("create", "shop-1", "--engine", "medusa")
    assert (done.code, done.out) == (0, "shop-1  Pending\n")
    assert "urumi events shop-1 --follow" in done.err
    assert json.loads(peer.requests[0][3]) == {"storeId": "shop-1", "engine": "medusa"}


@pytest.mark.parametrize(
    "arguments", [["get", "shop-9"], ["events", "shop-9"], ["retry", "shop-9"], ["credentials", "shop-9"]], ids=str
)
def test_an_absent_store_is_code_3(urumi: Command, arguments: list[str]) -> None:
    done = urumi(*arguments)
    assert (done.code, done.out) == (3, "")
    assert "'shop-9'" in done.err
    assert done.err.endswith(". Run `urumi list` to see all stores.\n")


def test_an_absent_store_cannot_be_deleted_or_followed(urumi: Command) -> None:
    assert urumi("delete", "shop-9", "--yes").code == 3
    assert urumi("events", "shop-9", "--follow").code == 3


def test_a_conflict_is_code_4(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    done = urumi("create", "shop-1", "--engine", "medusa")
    assert (done.code, done.out) == (4, "")
    assert done.err == "urumi: Store shop-1 exists with engine woocommerce. Choose another storeId.\n"


@pytest.mark.parametrize("arguments", [["list"], ["watch"]], ids=str)
def test_a_wrong_token_is_code_5(urumi: Command, arguments: list[str]) -> None:
    done = urumi(*arguments, "--token", "wrong")
    assert (done.code, done.out) == (5, "")
    assert "Pass --token or set URUMI_TOKEN" in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["list"], ["watch"]], ids=str)
def test_without_a_server_it_is_code_6(urumi: Command, peer: Peer, arguments: list[str]) -> None:
    peer.stop()
    done = urumi(*arguments)
    assert (done.code, done.out) == (6, "")
    assert peer.url in done.err
    assert "unreachable: Connection refused" in done.err
    assert "Start it (./setup.sh, or `urumi serve`), or pass another --url." in done.err


def test_a_response_of_another_program_is_code_6(urumi: Command, peer: Peer) -> None:
    peer.answer = PlainTextResponse("<html>hello</html>")
    done = urumi("list")
    assert done.code == 6
    assert f"Check that {peer.url} is an Urumi server of this version." in done.err


def test_an_internal_error_of_the_server_is_code_1(urumi: Command, peer: Peer) -> None:
    peer.answer = JSONResponse({"detail": "The server met a defect.", "hint": "Look into its log."}, 500)
    done = urumi("list")
    assert (done.code, done.err) == (1, "urumi: The server met a defect. Look into its log.\n")


def test_flags_before_the_command_override_the_environment(urumi: Command, peer: Peer) -> None:
    done = urumi("--url", peer.url, "--token", peer.token, "list", URUMI_URL="http://127.0.0.1:9", URUMI_TOKEN="x")
    assert done.code == 0


def test_the_local_server_is_found_without_settings(urumi: Command, peer: Peer, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "server.json").write_text(json.dumps({"url": peer.url}))
    (state / "token").write_text(peer.token)
    assert urumi("list", URUMI_URL="", URUMI_TOKEN="").code == 0


def test_delete_of_a_ready_store_requires_its_name(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    done = urumi.typed("shop-2\n", "delete", "shop-1")
    assert (done.code, done.out) == (1, "")
    assert (
        "Type the store's name to confirm: urumi: Store shop-1 not deleted: expected its name, got 'shop-2'."
        in done.err
    )
    assert "shop-1" in peer.stores
    done = urumi.typed("shop-1\n", "delete", "shop-1")
    assert (done.code, done.out) == (0, "shop-1  Deleting\n")
    assert peer.requests[-1][:2] == ("DELETE", "/stores/shop-1?uid=uid-of-shop-1")


def test_delete_treats_the_end_of_input_as_a_refusal(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    assert urumi.typed("\x04", "delete", "shop-1").code == 1
    assert "shop-1" in peer.stores


def test_delete_needs_no_confirmation_for_a_store_that_is_not_ready(urumi: Command, peer: Peer) -> None:
    peer.put(failed("shop-1"))
    assert urumi.typed("", "delete", "shop-1").code == 0
    assert peer.stores == {}


def test_delete_with_yes_needs_no_confirmation(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    done = urumi("delete", "shop-1", "--yes", "--json")
    assert done.json == {"deleted": True, "storeId": "shop-1"}


def test_a_closed_pipe_ends_the_command_without_a_message(urumi: Command, peer: Peer) -> None:
    for number in range(300):
        peer.put(make_store(f"shop-{number}"))
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            [*URUMI, "list"], env=urumi.environ, stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=20, check=False
        )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_is_reported_in_one_line(urumi: Command, peer: Peer) -> None:
    peer.put(make_store())
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*URUMI, "list"], env=urumi.environ, stdout=full, stderr=subprocess.PIPE, text=True, timeout=20, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "urumi: Cannot write the output: No space left on device.\n"


def test_letters_that_cannot_be_encoded_are_escaped(urumi: Command, peer: Peer) -> None:
    peer.put(provisioning("shop-1", "wärmt auf"))
    done = urumi("list", PYTHONIOENCODING="ascii")
    assert done.code == 0
    assert "w\\xe4rmt auf" in done.out
    assert urumi("get", "shop-1", "--json", PYTHONIOENCODING="ascii").json == dump(peer.stores["shop-1"])


def test_an_extension_is_loaded_when_it_is_requested(urumi: Command) -> None:
    assert "--kubeconfig" in urumi("serve", "--help").out
    done = urumi("cluster", "splendid")
    assert done.code == 2
    assert "usage: urumi cluster" in done.err


def test_a_broken_extension_fails_only_when_it_is_requested(urumi: Command) -> None:
    with tempfile.TemporaryDirectory() as folder:
        info = Path(folder, "broken-1.0.dist-info")
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[urumi.commands]\nbroken = no_such_module:command\n")
        listed = urumi("--help", PYTHONPATH=folder)
        asked = urumi("broken", PYTHONPATH=folder)
    assert re.search(r"^    broken +a command of another package$", listed.out, re.MULTILINE)
    assert asked.code == 1
    assert asked.err.startswith("urumi: Command 'broken' (no_such_module:command) cannot be loaded: No module")
