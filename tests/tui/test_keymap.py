"""Keys: no two commands of one place share one, the documents list them, and the configuration replaces them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from testing.peer.server import Peer
from testing.stores import failed, make_store
from tests.tui.driver import dashboard
from tui.app import Dashboard
from tui.model.keymap import APP, LIST, SCOPES, STORE, Command, check_keys, commands
from tui.model.settings import settings
from tui.screens.details import DetailsScreen
from tui.screens.stores import StoresScreen
from tui.widgets.lines import LinesView
from tui.widgets.store_table import StoreTable
from urumi.config import Target
from urumi.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "dashboard.md"
README = ROOT / "README.md"
SIGNS = {"slash": "/", "colon": ":", "question_mark": "?", "asterisk": "*"}


def key_table() -> str:
    """Return the table of keys in the form of the document."""
    lines = []
    for scope in SCOPES:
        lines += [f"### {scope.title}", "", "| key | id | what it does |", "| --- | --- | --- |"]
        lines += [f"| {keys_of(command)} | `{command.id}` | {command.title} |" for command in scope.commands]
        lines.append("")
    return "\n".join(lines)


def short_key_table() -> str:
    """Return the keys that the list shows at the bottom, in the form of the README."""
    shown = [command for scope in (LIST, STORE, APP) for command in scope.commands if command.label]
    return "\n".join(["| key | |", "| --- | --- |", *(f"| {keys_of(each)} | {each.title} |" for each in shown), ""])


def keys_of(command: Command) -> str:
    """Return the keys of a command as a document writes them."""
    return " ".join(f"`{SIGNS.get(key, key)}`" for key in command.keys.split(","))


@pytest.mark.parametrize(("document", "table"), [(DOCUMENT, key_table), (README, short_key_table)], ids=["all", "few"])
def test_a_document_lists_the_current_keys(document: Path, table: Callable[[], str]) -> None:
    written = document.read_text(encoding="utf-8").partition("<!-- keys -->\n")[2].partition("<!-- /keys -->")[0]
    assert written == table(), f"put this into {document.name}:\n{table()}"


def test_no_two_commands_of_one_screen_share_a_key() -> None:
    check_keys({}, "the defaults")


def test_every_command_can_be_run_where_it_is_bound() -> None:
    places = {
        "The list": StoresScreen,
        "Actions on a store": StoresScreen,
        "Moving in the list": StoreTable,
        "Moving in a timeline or a text": LinesView,
        "Details of a store": DetailsScreen,
        "Everywhere": Dashboard,
    }
    for scope in SCOPES:
        for command in scope.commands:
            name = command.action.partition("(")[0]
            place = Dashboard if name.startswith("app.") else places[scope.title]
            assert hasattr(place, f"action_{name.removeprefix('app.')}"), command


def test_ids_and_names_are_unique() -> None:
    everything = list(commands())
    assert len({command.id for command in everything}) == len(everything)
    names = [command.name for command in everything if command.in_palette]
    assert len(set(names)) == len(names)


@pytest.mark.anyio
async def test_a_configured_key_replaces_the_default_one_and_is_shown(peer: Peer, target: Target) -> None:
    peer.put(failed("shop-1"))
    async with dashboard(target, keys={"store.retry": "x"}) as driver:
        assert "x retry" in driver.lines()[-1]
        await driver.press("r")
        await driver.pilot.pause()
        assert peer.requests == []
        await driver.press("x")
        await driver.until_message("Retrying shop-1 now.")


def test_a_key_of_another_command_is_refused_with_both_commands() -> None:
    with pytest.raises(ConfigError, match=r"the key 'r' is assigned to store.retry and to store.open") as caught:
        check_keys({"store.open": "x, r"}, "here")
    assert caught.value.hint == "Assign another key to one of them."
    check_keys({"store.open": "r", "store.retry": "o"}, "both were changed")


@pytest.mark.anyio
async def test_help_shows_the_keys_of_the_current_screen(peer: Peer, target: Target) -> None:
    peer.put(make_store("shop-1"))
    async with dashboard(target, size=(120, 60)) as driver:
        await driver.press("question_mark")
        await driver.until_shown("create a store")
        await driver.until_shown("sort by the selected column")
        await driver.open("DetailsScreen", "escape", "d")
        await driver.press("f1")
        await driver.until_shown("switch between YAML and text")
        assert "create a store" not in driver.text()


def test_the_example_of_the_document_is_a_valid_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = DOCUMENT.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "config.toml").write_text(example)
    monkeypatch.setenv("URUMI_CONFIG", str(tmp_path / "config.toml"))
    assert settings([]).keys == {"store.delete": "x,delete", "app.palette": "ctrl+k"}
