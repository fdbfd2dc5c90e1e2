"""A client of the platform: REST with a token."""

import http.client
import json
import urllib.error
import urllib.request
from typing import Any

from testing.kubectl import wait_for
from urumi.config import Target

ANSWER_SECONDS = 30.0


class Caller:
    """Calls the platform at a URL; its Store objects are in `namespace`."""

    def __init__(self, url: str, token: str, namespace: str) -> None:
        self.url = url
        self.token = token
        self.namespace = namespace

    @property
    def target(self) -> Target:
        """The server and the token, in the form that clients expect."""
        return Target(self.url, self.token)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Call the API with the token; return the status and the parsed body."""
        status, text = self.request_text(method, path, body, **headers)
        return status, json.loads(text or "null")

    def request_text(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """Call the API with the token; return the status and the body as text."""
        data = None if body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.url + path, data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def create(self, store_id: str, engine: str = "woocommerce") -> Any:
        """Request a store."""
        status, store = self.call("POST", "/stores", {"storeId": store_id, "engine": engine})
        assert status in (200, 202), store
        return store

    def store(self, store_id: str) -> Any:
        """Return a store, None if it does not exist."""
        status, store = self.call("GET", f"/stores/{store_id}")
        return store if status == 200 else None

    def wait_for_phase(self, store_id: str, phase: str, seconds: float = 90.0) -> Any:
        """Wait until a store has a phase, and return it."""

        def matching() -> Any:
            store = self.store(store_id)
            return store if store and store["phase"] == phase else None

        try:
            return wait_for(matching, f"store {store_id} to be {phase}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.store(store_id)}") from None

    def wait_for_message(self, store_id: str, text: str, seconds: float = 120.0) -> Any:
        """Wait until a store's progress or error contains a text, and return the store."""
        seen: list[str] = []

        def matching() -> Any:
            store = self.store(store_id) or {}
            parts = (store.get("progress") or {}, store.get("lastError") or {})
            messages = " ".join(part["message"] for part in parts if part.get("message"))
            if messages and messages not in seen[-1:]:
                seen.append(messages)
            return store if text in messages else None

        try:
            return wait_for(matching, f"{text!r} in the progress or the error of store {store_id}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; seen: {seen}") from None

    def wait_until_gone(self, store_id: str, seconds: float = 90.0) -> None:
        """Wait until a store is deleted."""
        wait_for(lambda: self.store(store_id) is None, f"store {store_id} to be gone", seconds)

    def is_leading(self) -> bool:
        """Return whether the responding server reports that it is the leader."""
        return bool(self.call("GET", "/healthz")[1]["leader"]["isThis"])


class PatientCaller(Caller):
    """Repeats a call whose connection breaks, as clients do while pods are replaced; other failures are not hidden."""

    def request_text(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """Call the API until it responds."""

        def attempt() -> tuple[int, str] | None:
            try:
                return super(PatientCaller, self).request_text(method, path, body, **headers)
            except (OSError, http.client.HTTPException):
                return None

        found = wait_for(attempt, f"an answer to {method} {self.url}{path}")
        assert found is not None
        return found
