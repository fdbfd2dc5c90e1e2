"""Conditional GET: a response with its entity tag, or 304 if the caller already has it (RFC 9110, 13.1.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def not_modified(request: Request, etag: str, headers: Mapping[str, str] | None = None) -> Response | None:
    """Return a 304 response if the request's If-None-Match matches the tag, None otherwise."""
    given = request.headers.get("if-none-match", "")
    if given and (given in (etag, "*") or etag in _TAG.findall(given)):
        return Response(status_code=304, headers=tagged(etag, headers))
    return None


def tagged(etag: str, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the headers of a response with a tag: a cache may store it and must revalidate it."""
    return {"ETag": etag, "Cache-Control": "private, no-cache", **(headers or {})}
