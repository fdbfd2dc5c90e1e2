"""Where the server is and which token opens it: flag > environment > what the local server wrote > default.

`urumi serve` leaves `server.json` (its URL) and `token` (mode 0600) in the state folder, so that on the machine it runs
on nobody has to copy a token around.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from urumi.errors import ConfigError

DEFAULT_URL = "http://127.0.0.1:8780"

_TOKEN = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class Target:
    """A server and the bearer token for it; an empty token means that none was found."""

    url: str
    token: str


def state_dir() -> Path:
    """Return the folder of the platform's local state, `URUMI_STATE_DIR` where that is set."""
    override = os.environ.get("URUMI_STATE_DIR")
    return Path(override) if override else platformdirs.user_state_path("urumi")


def token_file() -> Path:
    """Return the file of the local bearer token."""
    return state_dir() / "token"


def server_file() -> Path:
    """Return the file in which the local server leaves its URL."""
    return state_dir() / "server.json"


def find_target(url: str | None = None, token: str | None = None) -> Target:
    """Return the server to talk to.

    Raises:
        ConfigError: where the URL or the token cannot be one.
    """
    found_url = url or os.environ.get("URUMI_URL") or _local_url() or DEFAULT_URL
    if not _is_url(found_url):
        raise ConfigError(f"The server URL must be like {DEFAULT_URL}, got {found_url!r}.")
    found_token = token or os.environ.get("URUMI_TOKEN") or _local_token()
    if not _TOKEN.fullmatch(found_token):
        # The token itself is a secret, so the sentence does not repeat it.
        raise ConfigError("The token must be printable ASCII without spaces.", hint="Check --token or URUMI_TOKEN.")
    return Target(found_url.rstrip("/"), found_token)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _local_url() -> str:
    try:
        return str(json.loads(server_file().read_text())["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _local_token() -> str:
    try:
        return token_file().read_text().strip()
    except OSError:
        return ""
