"""New random values for the Secrets of a store."""

from __future__ import annotations

import base64
import secrets


def new_password() -> str:
    """Return a password of 32 characters that are safe in a URL."""
    return secrets.token_urlsafe(24)


def new_key() -> str:
    """Return 48 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(48)).decode()
