"""The command as a process: data on stdout, narration on stderr, exit codes, errors as sentences."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from testing.peer import Peer
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
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["splendid"], "invalid choice: 'splendid'"),
        (["create", "shop-1"], "--engine"),
        (["create", "shop-1", "--engine", "shopify"], "invalid choice: 'shopify'"),
        (["create", "Shop 1", "--engine", "medusa"], "may hold lower-case letters"),
        (["create", "shop-1", "--engine", "medusa", "--wait", "--timeout", "soon"], "must be a number of seconds"),
        (["get", "../healthz"], "may hold lower-case letters"),
        (["list", "--phase", "Splendid"], "must be one of Pending, Provisioning"),
        (["list", "--url", "localhost"], "The server URL must be like"),
        (["--url"], "expected one argument"),
        (["delete", "shop-1"], "nobody can be asked here. Pass --yes."),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_explained_and_changes_nothing(
    urumi: Command, peer: Peer, arguments: list[str], words: str
) -> None:
    done = urumi(*arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
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


def test_list_fits_a_terminal(urumi: Command, peer: Peer) -> None:
    peer.put(provisioning("shop-1", "waiting for " + "x" * 200))
    lines = urumi.on_screen(100, "list").splitlines()
    assert max(map(len, lines)) <= 100
    assert "..." in lines[1]


def test_list_narrows(urumi: Command, peer: Peer) -> None:
    urumi("list", "--phase", "ready", "--engine", "medusa", "--text", "shop")
    assert peer.requests[0][1] == "/stores?phase=Ready&engine=medusa&q=shop"


def test_list_is_put_in_order_by_the_server(urumi: Command, peer: Peer) -> None:
    urumi("list", "--sort", "oldest")
    assert peer.requests[0][1] == "/stores?sort=createdAt"
    assert "invalid choice: 'age'" in urumi("list", "--sort", "age").err


def test_an_empty_list_says_what_to_do_next_and_has_no_data(urumi: Command) -> None:
    done = urumi("list")
    assert (done.code, done.out) == (0, "")
    assert "urumi create shop-1 --engine woocommerce" in done.err
    assert "No store matches." in urumi("list", "--text", "x").err
    assert urumi("list", "--json").json == {"items": []}


def test_json_is_what_the_api_says(urumi: Command, peer: Peer) -> None:
    store = provisioning("shop-1", "wärmt auf", events=[dump(event("NamespaceReady"))])
    peer.put(store)
    assert urumi("list", "--json").json == {"items": [dump(store)]}
    assert urumi("get", "shop-1", "--json").json == dump(store)
    assert urumi("events", "shop-1", "--json").json == {"storeId": "shop-1", "items": dump(store)["events"]}
    assert urumi("retry", "shop-1", "--json").json == dump(store)


def test_get_tells_everything(urumi: Command, peer: Peer) -> None:
    peer.put(failed(events=[dump(event("Failed", "no image", level="error"))]))
    done = urumi("get", "shop-1")
    for words in ("Failed", "ImagePullBackOff", "Check the image.", "no image", "store-shop-1"):
        assert words in done.out
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
    assert (done.out, done.err) == ("", "Nothing has happened to store shop-2 yet.\n")


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
    assert done.err == "urumi: There is no store 'shop-9'. Those there are: urumi list\n"


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
    assert "Try: urumi serve" in done.err


def test_an_answer_from_something_else_is_code_6(urumi: Command, peer: Peer) -> None:
    peer.answer = PlainTextResponse("<html>hello</html>")
    done = urumi("list")
    assert done.code == 6
    assert f"Is {peer.url} an Urumi server of this version?" in done.err


def test_a_defect_of_the_server_is_code_1(urumi: Command, peer: Peer) -> None:
    peer.answer = JSONResponse({"detail": "The server met a defect.", "hint": "Look into its log."}, 500)
    done = urumi("list")
    assert (done.code, done.err) == (1, "urumi: The server met a defect. Look into its log.\n")


def test_flags_may_stand_before_the_command_and_win(urumi: Command, peer: Peer) -> None:
    done = urumi("--url", peer.url, "--token", peer.token, "list", URUMI_URL="http://127.0.0.1:9", URUMI_TOKEN="x")
    assert done.code == 0


def test_the_local_server_is_found_by_itself(urumi: Command, peer: Peer, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "server.json").write_text(json.dumps({"url": peer.url}))
    (state / "token").write_text(peer.token)
    assert urumi("list", URUMI_URL="", URUMI_TOKEN="").code == 0


def test_delete_asks_for_the_name_of_a_ready_store(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    done = urumi.typed("shop-2\n", "delete", "shop-1")
    assert (done.code, done.out) == (1, "")
    assert (
        "Type its name to delete it: urumi: Store shop-1 was not deleted: expected its name, got 'shop-2'." in done.err
    )
    assert "shop-1" in peer.stores
    done = urumi.typed("shop-1\n", "delete", "shop-1")
    assert (done.code, done.out) == (0, "shop-1  Deleting\n")
    assert peer.requests[-1][:2] == ("DELETE", "/stores/shop-1?uid=uid-of-shop-1")


def test_delete_takes_an_end_of_input_for_a_no(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    assert urumi.typed("\x04", "delete", "shop-1").code == 1
    assert "shop-1" in peer.stores


def test_delete_asks_nothing_about_a_store_that_never_worked(urumi: Command, peer: Peer) -> None:
    peer.put(failed("shop-1"))
    assert urumi.typed("", "delete", "shop-1").code == 0
    assert peer.stores == {}


def test_delete_with_yes_asks_nothing(urumi: Command, peer: Peer) -> None:
    peer.put(make_store("shop-1"))
    done = urumi("delete", "shop-1", "--yes", "--json")
    assert done.json == {"deleted": True, "storeId": "shop-1"}


def test_a_reader_that_goes_away_ends_it_quietly(urumi: Command, peer: Peer) -> None:
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
def test_a_full_disk_is_a_sentence(urumi: Command, peer: Peer) -> None:
    peer.put(make_store())
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*URUMI, "list"], env=urumi.environ, stdout=full, stderr=subprocess.PIPE, text=True, timeout=20, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "urumi: The output could not be written: No space left on device.\n"


def test_letters_that_the_terminal_lacks_are_escaped(urumi: Command, peer: Peer) -> None:
    peer.put(provisioning("shop-1", "wärmt auf"))
    done = urumi("list", PYTHONIOENCODING="ascii")
    assert done.code == 0
    assert "w\\xe4rmt auf" in done.out


def test_an_extension_is_loaded_when_it_is_asked_for(urumi: Command) -> None:
    assert "--kubeconfig" in urumi("serve", "--help").out
    done = urumi("cluster", "splendid")
    assert done.code == 2
    assert "usage: urumi cluster" in done.err


def test_a_broken_extension_is_a_sentence_and_only_when_it_is_asked_for(urumi: Command) -> None:
    with tempfile.TemporaryDirectory() as folder:
        info = Path(folder, "broken-1.0.dist-info")
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[urumi.commands]\nbroken = no_such_module:command\n")
        listed = urumi("--help", PYTHONPATH=folder)
        asked = urumi("broken", PYTHONPATH=folder)
    assert "broken       a command of another package" in listed.out
    assert asked.code == 1
    assert asked.err.startswith("urumi: The command 'broken' (no_such_module:command) cannot be loaded: No module")
