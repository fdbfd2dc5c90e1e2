"""The server's URL and token: flag > environment > the local server's files > default.

`urumi serve` writes `server.json` (its URL) and `token` (mode 0600) to the state folder, so commands on the same
machine need neither flag nor variable.
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
from urumi.proxies import SUPPORTED, proxy_for, without_password

DEFAULT_URL = "http://127.0.0.1:8780"

_TOKEN = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class Target:
    """A server's URL and the bearer token for it; the token is empty if none was found."""

    url: str
    token: str


def state_dir() -> Path:
    """Return the folder of the platform's local state: `URUMI_STATE_DIR` if it is set."""
    override = os.environ.get("URUMI_STATE_DIR")
    return Path(override) if override else platformdirs.user_state_path("urumi")


def token_file() -> Path:
    """Return the file that holds the local bearer token."""
    return state_dir() / "token"


def server_file() -> Path:
    """Return the file that holds the local server's URL."""
    return state_dir() / "server.json"


def find_target(url: str | None = None, token: str | None = None) -> Target:
    """Return the server to connect to.

    Raises:
        ConfigError: if the URL or the token is malformed, or the environment's proxy for the URL cannot be used.
    """
    found_url = url or os.environ.get("URUMI_URL")
    if not found_url:
        try:
            found_url = str(json.loads(_read(server_file()))["url"]) or DEFAULT_URL
        except (ValueError, KeyError, TypeError):
            found_url = DEFAULT_URL
    try:
        parts = urlsplit(found_url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ConfigError(f"The server URL must be like {DEFAULT_URL}, got {found_url!r}.")
    proxy = proxy_for(found_url)
    if proxy is not None and not proxy.startswith(SUPPORTED):
        raise ConfigError(
            f"The proxy {without_password(proxy)} for {found_url} is not an HTTP proxy; other kinds are not supported.",
            hint=f"Set HTTP_PROXY or HTTPS_PROXY to an HTTP proxy, or NO_PROXY={parts.hostname}.",
        )
    found_token = token or os.environ.get("URUMI_TOKEN") or _read(token_file())
    if not _TOKEN.fullmatch(found_token):
        # The token is a secret, so the message does not repeat it.
        raise ConfigError("The token must be printable ASCII without spaces.", hint="Check --token or URUMI_TOKEN.")
    return Target(found_url.rstrip("/"), found_token)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
