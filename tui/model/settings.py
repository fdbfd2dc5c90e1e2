"""The settings of the dashboard: flag > environment > `config.toml` > default.

The file is `$XDG_CONFIG_HOME/urumi/config.toml`; `URUMI_CONFIG` names another file. An unknown key is an error that
suggests the closest known key, so no setting is ignored silently. The token is a secret and must not be in the file: it
comes from `--token`, `URUMI_TOKEN` or the token file of the local server.
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
from urumi.completion import add_print_completion
from urumi.errors import ConfigError
from urumi.parser import PlainParser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SWITCHES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
EPILOG = """\
files and environment:
  $XDG_CONFIG_HOME/urumi/config.toml   url, theme, ascii, read_only, and a table [keys] of command ids
  URUMI_CONFIG                         another configuration file
  URUMI_URL, URUMI_TOKEN               the server and its token; default: the local server and its token file
  URUMI_THEME, URUMI_ASCII, URUMI_READ_ONLY, NO_COLOR

A flag wins over the environment, the environment over the file. Exit codes: 0 quit, 1 internal error or no terminal,
2 wrong usage or setting, 130 interrupted. Press ? in the dashboard to show all keys."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run."""

    url: str = ""
    token: str = ""
    theme: str = "urumi-dark"
    ascii: bool = False
    read_only: bool = False
    keys: dict[str, str] = field(default_factory=dict)


def config_file() -> Path:
    """Return the path of the configuration file, which may not exist."""
    override = os.environ.get("URUMI_CONFIG")
    return Path(override) if override else platformdirs.user_config_path("urumi") / "config.toml"


def settings(arguments: Sequence[str]) -> Settings:
    """Return the settings from flags, environment and file.

    Raises:
        ConfigError: with the source of the wrong setting.
    """
    args = argument_parser().parse_args(arguments)
    flags = {name: value for name, value in vars(args).items() if value not in (None, False)}
    layers = (flags, _of_environment(os.environ), _of_file(config_file()))
    chosen: dict[str, Any] = {}
    for layer in layers:
        chosen = {**layer, **chosen}
    return Settings(**chosen)


def argument_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = PlainParser(
        prog="urumi-tui",
        description="Shows the stores of a platform live in a terminal, and acts on them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"urumi-tui {__version__}")
    parser.add_argument("--url", help="the URL of the server; default: URUMI_URL, or the local server")
    parser.add_argument("--token", help="the access token; URUMI_TOKEN keeps it out of the process list")
    parser.add_argument("--read-only", action="store_true", help="show stores, but change nothing")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII only")
    parser.add_argument("--theme", help="urumi-dark, urumi-light, or another theme of Textual")
    add_print_completion(parser)
    return parser


def _of_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    # `find_target` reads URUMI_TOKEN. The URL is read here because it must win over the URL in the file.
    given = {name: environ.get(f"URUMI_{name.upper()}", "") for name in ("url", "theme", "ascii", "read_only")}
    found: dict[str, Any] = {name: text for name, text in given.items() if text}
    for name in found.keys() & {"ascii", "read_only"}:
        if found[name].lower() not in SWITCHES:
            raise ConfigError(f"URUMI_{name.upper()} must be true or false, got {found[name]!r}.")
        found[name] = SWITCHES[found[name].lower()]
    return found


def _of_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    _check(content, str(path))
    if "keys" in content:
        content["keys"] = {name: keys.replace(" ", "") for name, keys in content["keys"].items()}
    return content


_EXPECTED: dict[str, tuple[type, str]] = {
    "url": (str, "a string"),
    "theme": (str, "a string"),
    "ascii": (bool, "true or false"),
    "read_only": (bool, "true or false"),
    "keys": (dict, "a table of strings"),
}


def _check(content: Mapping[str, Any], where: str) -> None:
    for name, value in content.items():
        if name == "token":
            raise ConfigError(f"{where}: the token must not be in the configuration file.", hint="Set URUMI_TOKEN.")
        if name not in _EXPECTED:
            near = get_close_matches(name, _EXPECTED, 1, 0.5)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known settings: {', '.join(_EXPECTED)}."
            raise ConfigError(f"{where}: unknown setting {name!r}.", hint=hint)
        kind, description = _EXPECTED[name]
        if not isinstance(value, kind):
            raise ConfigError(f"{where}: {name} must be {description}, got {value!r}.")
    keys = content.get("keys", {})
    if not all(isinstance(key, str) and key.strip() for key in keys.values()):
        raise ConfigError(f"{where}: keys must be a table of strings, got {keys!r}.")
    check_keys(keys, where)
