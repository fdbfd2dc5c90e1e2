"""Settings: flag, environment, file, default, in that order; and the errors about wrong ones."""

from pathlib import Path

import pytest

from tui.model.settings import Settings, config_file, settings
from urumi.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the configuration."""
    path = tmp_path / "config.toml"
    monkeypatch.setenv("URUMI_CONFIG", str(path))
    return path


def test_without_settings_the_defaults_apply(file: Path) -> None:
    assert settings([]) == Settings()


def test_the_file_is_in_the_configuration_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("URUMI_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_file() == tmp_path / "urumi" / "config.toml"


def test_a_flag_wins_over_the_environment_and_that_over_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('theme = "nord"\nurl = "http://file"\nread_only = true\n')
    monkeypatch.setenv("URUMI_THEME", "gruvbox")
    monkeypatch.setenv("URUMI_URL", "http://environment")
    assert settings([]) == Settings(theme="gruvbox", url="http://environment", read_only=True)
    assert settings(["--theme", "dracula", "--url", "http://flag"]).theme == "dracula"
    assert settings(["--theme", "dracula", "--url", "http://flag"]).url == "http://flag"


def test_the_environment_can_switch_off_what_the_file_switches_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("read_only = true\nascii = true\n")
    monkeypatch.setenv("URUMI_READ_ONLY", "no")
    assert settings([]) == Settings(ascii=True)


def test_keys_of_commands_can_be_set(file: Path) -> None:
    file.write_text('[keys]\n"store.delete" = "x, delete"\n')
    assert settings([]).keys == {"store.delete": "x,delete"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param('tehme = "nord"', "unknown setting 'tehme'. Did you mean 'theme'?", id="typo"),
        pytest.param("colour = 1", "Known settings: url, theme, ascii, read_only, keys.", id="nothing-near"),
        pytest.param('read_only = "yes"', "read_only must be true or false, got 'yes'.", id="kind"),
        pytest.param("theme = 3", "theme must be a string, got 3.", id="number"),
        pytest.param('[keys]\n"store.delet" = "x"', "unknown command 'store.delet'", id="command"),
        pytest.param('[keys]\n"store.delet" = "x"', "Did you mean 'store.delete'?", id="nearest-command"),
        pytest.param('[keys]\n"store.delete" = 3', "keys must be a table of strings", id="key-kind"),
        pytest.param('token = "secret"', "the token must not be in the configuration file", id="token"),
        pytest.param("theme = ", "is not valid TOML", id="syntax"),
    ],
)
def test_a_wrong_setting_is_reported_with_the_file_and_the_closest_name(file: Path, content: str, words: str) -> None:
    file.write_text(content)
    with pytest.raises(ConfigError) as caught:
        settings([])
    assert words in caught.value.sentence()
    assert str(file) in caught.value.message
    assert "secret" not in caught.value.sentence()


def test_an_invalid_switch_in_the_environment_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("URUMI_ASCII", "maybe")
    with pytest.raises(ConfigError, match="URUMI_ASCII must be true or false, got 'maybe'"):
        settings([])


def test_a_file_that_cannot_be_read_is_reported(file: Path) -> None:
    file.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        settings([])
