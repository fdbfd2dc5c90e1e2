"""What a person may choose: flag > environment > `config.toml` > default.

The file is `$XDG_CONFIG_HOME/urumi/config.toml`; `URUMI_CONFIG` names another one. A key that it does not know is an
error with the nearest one that it does, so that no setting is silently ignored. The token is a secret and has no place
in it: it comes from `--token`, `URUMI_TOKEN` or what the local server left.
"""

from __future__ import annotations

import argparse
import os
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from tui.model.keymap import check_keys
from urumi import __version__
from urumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

EPILOG = """\
files and environment:
  $XDG_CONFIG_HOME/urumi/config.toml   url, theme, ascii, read_only, and a table [keys] of command ids
  URUMI_CONFIG                         another such file
  URUMI_URL, URUMI_TOKEN               the server and its token; by default what the local server left
  URUMI_THEME, URUMI_ASCII, URUMI_READ_ONLY, NO_COLOR

A flag wins over the environment, the environment over the file. exit codes: 0 left, 1 a defect, 2 wrong usage or
setting, 130 interrupted. Press ? inside for every key."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one run."""

    url: str = ""
    token: str = ""
    theme: str = "urumi-dark"
    ascii: bool = False
    read_only: bool = False
    keys: dict[str, str] = field(default_factory=dict)


def config_file() -> Path:
    """Return where the configuration is, whether or not it is there."""
    override = os.environ.get("URUMI_CONFIG")
    return Path(override) if override else platformdirs.user_config_path("urumi") / "config.toml"


def settings(arguments: Sequence[str]) -> Settings:
    """Return the choices of a person.

    Raises:
        ConfigError: naming the place of the wrong one.
    """
    args = _parser().parse_args(arguments)
    layers = (_of_flags(args), _of_environment(os.environ), _of_file(config_file()))
    chosen: dict[str, Any] = {}
    for layer in layers:
        chosen = {**layer, **chosen}
    return Settings(**chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="urumi-tui",
        description="The stores of a platform, live in a terminal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"urumi-tui {__version__}")
    parser.add_argument("--url", help="the server; default: URUMI_URL, or the local server")
    parser.add_argument("--token", help="its token; URUMI_TOKEN keeps it out of the process list")
    parser.add_argument("--read-only", action="store_true", help="look, but change nothing")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII only")
    parser.add_argument("--theme", help="urumi-dark, urumi-light, or a theme of Textual")
    return parser


def _of_flags(args: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name, value in vars(args).items() if value not in (None, False)}


def _of_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    # URUMI_TOKEN is left to `find_target`; the URL is taken here, as it has to win over that of the file.
    given = {name: environ.get(f"URUMI_{name.upper()}", "") for name in ("url", "theme", "ascii", "read_only")}
    found: dict[str, Any] = {name: text for name, text in given.items() if text}
    for name in found.keys() & {"ascii", "read_only"}:
        found[name] = _switch(found[name], f"URUMI_{name.upper()}")
    return found


def _switch(text: str, where: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ConfigError(f"{where} must be true or false, got {text!r}.")
    return words[text.lower()]


def _of_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    _check(content, str(path))
    if "keys" in content:
        content["keys"] = {name: keys.replace(" ", "") for name, keys in content["keys"].items()}
    return content


_EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "url": ("a text", lambda value: isinstance(value, str)),
    "theme": ("a text", lambda value: isinstance(value, str)),
    "ascii": ("true or false", lambda value: isinstance(value, bool)),
    "read_only": ("true or false", lambda value: isinstance(value, bool)),
    "keys": ("a table of texts", lambda value: isinstance(value, dict) and all(map(_is_key, value.items()))),
}


def _check(content: Mapping[str, Any], where: str) -> None:
    for name, value in content.items():
        if name == "token":
            raise ConfigError(f"{where}: a token does not belong in a file that is shared.", hint="Set URUMI_TOKEN.")
        if name not in _EXPECTED:
            near = get_close_matches(name, _EXPECTED, 1, 0.5)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(_EXPECTED)}."
            raise ConfigError(f"{where}: there is no setting {name!r}.", hint=hint)
        expected, is_right = _EXPECTED[name]
        if not is_right(value):
            raise ConfigError(f"{where}: {name} must be {expected}, got {value!r}.")
    check_keys(content.get("keys", {}), where)


def _is_key(item: tuple[str, Any]) -> bool:
    return isinstance(item[1], str) and bool(item[1].strip())
