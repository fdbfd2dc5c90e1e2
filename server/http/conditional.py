"""Conditional GET: an answer with its entity tag, or 304 where the caller has it already (RFC 9110, 13.1.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def not_modified(request: Request, etag: str, headers: Mapping[str, str] | None = None) -> Response | None:
    """Return the 304 of a caller that has what the tag names, None for anybody else."""
    given = request.headers.get("if-none-match", "")
    if given and (given in (etag, "*") or etag in _TAG.findall(given)):
        return Response(status_code=304, headers=tagged(etag, headers))
    return None


def tagged(etag: str, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the headers of an answer with a tag: caches may keep it, and have to ask whether it still holds."""
    return {"ETag": etag, "Cache-Control": "private, no-cache", **(headers or {})}
