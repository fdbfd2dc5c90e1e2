"""Which server is called, and with which token."""

import json
from pathlib import Path

import pytest

from urumi.config import DEFAULT_URL, Target, find_target, state_dir
from urumi.errors import ConfigError


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary state folder, and no settings from the environment."""
    for name in ("URUMI_URL", "URUMI_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("URUMI_STATE_DIR", str(tmp_path))
    return tmp_path


def test_without_settings_the_default_address_is_used_without_a_token() -> None:
    assert find_target() == Target(DEFAULT_URL, "")


def test_the_files_of_the_local_server_are_used(state: Path) -> None:
    (state / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:9999", "pid": 1}))
    (state / "token").write_text("from-the-file\n")
    assert find_target() == Target("http://127.0.0.1:9999", "from-the-file")


def test_the_environment_comes_before_the_files(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (state / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:9999"}))
    (state / "token").write_text("from-the-file")
    monkeypatch.setenv("URUMI_URL", "https://urumi.example/")
    monkeypatch.setenv("URUMI_TOKEN", "from-the-environment")
    assert find_target() == Target("https://urumi.example", "from-the-environment")


def test_flags_come_before_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URUMI_URL", "http://other")
    monkeypatch.setenv("URUMI_TOKEN", "other")
    assert find_target("http://[::1]:8780", "t") == Target("http://[::1]:8780", "t")


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"port": 1}'])
def test_a_malformed_server_file_is_ignored(state: Path, text: str) -> None:
    (state / "server.json").write_text(text)
    assert find_target().url == DEFAULT_URL


@pytest.mark.parametrize(
    "url", ["localhost:8780", "ftp://x", "http://", "http://x:99999", "http://x:0", "http://[::1", "http://x:port"]
)
def test_a_malformed_url_is_rejected(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_target(url)
    assert caught.value.message == f"The server URL must be like {DEFAULT_URL}, got {url!r}."


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "tokén", "\x00"])
def test_a_malformed_token_is_rejected_and_not_repeated(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_target("http://x", token)
    assert token not in caught.value.sentence()


def test_the_state_folder_follows_the_variable(state: Path) -> None:
    assert state_dir() == state
