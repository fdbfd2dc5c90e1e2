"""The calls to the API server that starting a cluster needs: over verified TLS, without any proxy."""

import json
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any

from cluster.errors import ApiServerError

CALL_SECONDS = 10.0
FIELD_MANAGER = "urumi-cluster"


class Api:
    """An API server and the admin's token for it."""

    def __init__(self, server: str, authority_pem: str, token: str) -> None:
        self._server = server
        self._token = token
        context = ssl.create_default_context(cadata=authority_pem)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def is_ready(self) -> bool:
        """Return whether the API server reports that it is ready."""
        try:
            return self._call("GET", "/readyz")[0] == 200
        except ApiServerError:
            return False

    def unready_checks(self) -> str:
        """Return its failing readiness checks, as it reports them."""
        try:
            _, body = self._call("GET", "/readyz?verbose")
        except ApiServerError as error:
            return error.message
        return ", ".join(line for line in body.decode().splitlines() if line.startswith("[-]"))

    def get(self, path: str) -> Any:
        """Return an object or a list, None if it does not exist."""
        status, body = self._call("GET", path)
        if status == 404:
            return None
        return self._parsed("GET", path, status, body)

    def apply(self, path: str, item: Any) -> None:
        """Apply an object by server-side apply."""
        query = f"{path}?fieldManager={FIELD_MANAGER}&force=true"
        status, body = self._call("PATCH", query, json.dumps(item).encode(), "application/apply-patch+yaml")
        self._parsed("PATCH", path, status, body)

    def delete(self, path: str) -> None:
        """Delete an object, if it exists."""
        status, body = self._call("DELETE", path)
        if status != 404:
            self._parsed("DELETE", path, status, body)

    def _parsed(self, method: str, path: str, status: int, body: bytes) -> Any:
        if status >= 300:
            words = body.decode(errors="replace")[:500]
            raise ApiServerError(f"{method} {path} failed: API server responded {status}: {words}")
        return json.loads(body)

    def _call(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if content_type:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(self._server + path, body, headers, method=method)  # noqa: S310 - always https
        try:
            with self._opener.open(request, timeout=CALL_SECONDS) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except (OSError, HTTPException) as error:
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            reason = getattr(cause, "strerror", None) or cause
            raise ApiServerError(f"The API server at {self._server} does not respond: {reason}.") from error
