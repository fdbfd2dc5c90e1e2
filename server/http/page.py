"""The web page: index.html of the static files, with the engines of this version in the form of a new store."""

from __future__ import annotations

import hashlib
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from server.http.conditional import not_modified, tagged
from urumi.store import Engine

if TYPE_CHECKING:
    from starlette.requests import Request

STATIC = Path(__file__).resolve().parents[1] / "static"
ENGINES_MARK = "<!-- engines -->"


async def page(request: Request) -> Response:
    """GET /."""
    body, etag = _page()
    return not_modified(request, etag) or Response(body, media_type="text/html", headers=tagged(etag))


@cache
def _page() -> tuple[bytes, str]:
    choices = "\n          ".join(_choice(engine, is_first=place == 0) for place, engine in enumerate(Engine))
    body = (STATIC / "index.html").read_text().replace(ENGINES_MARK, choices).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _choice(engine: Engine, *, is_first: bool) -> str:
    name, checked = escape(engine.display_name), " checked" if is_first else ""
    return (
        f'<label class="choice"><input type="radio" name="engine" value="{engine.value}" data-name="{name}"{checked}>\n'
        f'            <span><strong>{name}</strong><span class="help">{escape(engine.parts)}</span></span></label>'
    )
