"""The web page: index.html of the static files, with the engines of this version in the form of a new store.

The addresses of its files are relative, so the page works below any path prefix if its own address ends with a slash.
If the prefix is known (URUMI_ROOT_PATH, X-Forwarded-Prefix), they contain it, and the slash does not matter.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
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
    body, etag = _page(request.scope.get("root_path", ""))
    return not_modified(request, etag) or Response(body, media_type="text/html", headers=tagged(etag))


@lru_cache(maxsize=16)
def _page(prefix: str) -> tuple[bytes, str]:
    choices = "\n          ".join(_choice(engine, is_first=place == 0) for place, engine in enumerate(Engine))
    text = (STATIC / "index.html").read_text().replace(ENGINES_MARK, choices)
    if prefix:
        text = text.replace('="static/', f'="{escape(prefix)}/static/')
    body = text.encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _choice(engine: Engine, *, is_first: bool) -> str:
    name, checked = escape(engine.display_name), " checked" if is_first else ""
    return (
        f'<label class="choice"><input type="radio" name="engine" value="{engine.value}" data-name="{name}"{checked}>\n'
        f'            <span><strong>{name}</strong><span class="help">{escape(engine.parts)}</span></span></label>'
    )
