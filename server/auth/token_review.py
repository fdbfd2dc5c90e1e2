"""Identity in a cluster: the Kubernetes API authenticates the token (TokenReview) and authorizes its user
(SubjectAccessReview on stores.stores.urumi.ai in the platform's namespace), so that RBAC decides.

    token --> sha256 --> cached user?  --> cached decision for the verb? --> authorized
                          | no              | no
                          TokenReview       SubjectAccessReview

Reviews are cached for a short time, refusals for a shorter one, by the hash of the token. Concurrent calls that need
the same review share it, so a thousand sockets of one user cause one review. A review that fails is neither a yes nor
a no: the ClusterError reaches the caller as 503.

A session cookie contains the token itself, and no script can read it: replicas share no key, and revoking a token ends
its sessions. Not guaranteed: that a revocation takes effect at once. It does when the cached reviews have expired,
here and in the API server, which itself caches tokens for about 10 s.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from reconciler.kube.resources import STORES, Resource
from server.auth.authority import unauthorized
from server.http.problems import ProblemError
from urumi.errors import ClusterUnreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.kube.client import Kube

REVIEW_SECONDS = 5.0
REFUSAL_SECONDS = 5.0
CACHE_SIZE = 4096
MAX_CONCURRENT_REVIEWS = 16
TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
ACCESS_REVIEWS = Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False)

# A token with many groups has thousands of characters. A line of a WebSocket handshake has at most 8192 bytes.
MAX_TOKEN_LENGTH = 8000
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:-]+")

Key = tuple[str, str]
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class User:
    """A user as a TokenReview describes it."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, list[str]] = field(default_factory=dict)


class ReviewCache(Generic[V]):
    """A bounded number of reviews by key, each with an expiry time. None is a cached refusal."""

    def __init__(self, seconds: float, refusal_seconds: float, size: int = CACHE_SIZE) -> None:
        self._seconds = seconds
        self._refusal_seconds = min(seconds, refusal_seconds)
        self._size = size
        self._cached: dict[Key, tuple[float, V | None]] = {}
        self._pending: dict[Key, asyncio.Task[V | None]] = {}

    def __len__(self) -> int:
        return len(self._cached)

    async def get(self, key: Key, review: Callable[[], Awaitable[V | None]]) -> V | None:
        """Return the cached result, or review; an error reaches every waiting caller and is not cached."""
        expiry, result = self._cached.get(key, (0.0, None))
        if expiry > time.monotonic():
            return result
        if key not in self._pending:
            self._pending[key] = asyncio.create_task(self._review(key, review))
        # A caller that is cancelled must not cancel the review for the others.
        return await asyncio.shield(self._pending[key])

    async def _review(self, key: Key, review: Callable[[], Awaitable[V | None]]) -> V | None:
        try:
            result = await review()
        finally:
            del self._pending[key]
        seconds = self._refusal_seconds if result is None else self._seconds
        self._cached.pop(key, None)
        self._cached[key] = (time.monotonic() + seconds, result)
        while len(self._cached) > self._size:
            del self._cached[next(iter(self._cached))]
        return result


class ClusterAuthority:
    """The authority that asks the Kubernetes API.

    Args:
        kube: the API client of the server itself.
        namespace: the namespace of the Store objects.
        cache_seconds: how long a review is cached.
    """

    def __init__(self, kube: Kube, namespace: str, cache_seconds: float) -> None:
        self._kube = kube
        self._namespace = namespace
        self._users: ReviewCache[User] = ReviewCache(cache_seconds, REFUSAL_SECONDS)
        self._rights: ReviewCache[bool] = ReviewCache(cache_seconds, REFUSAL_SECONDS)
        self._limiter = asyncio.Semaphore(MAX_CONCURRENT_REVIEWS)

    async def identify(self, token: str) -> str:
        """Return the user name that RBAC uses."""
        return (await self._user(token)).name

    async def permit(self, token: str, verb: str) -> None:
        """Return if RBAC allows the verb on stores."""
        user = await self._user(token)
        if not await self._rights.get((_hash(token), verb), lambda: self._review_access(user, verb)):
            raise ProblemError(
                "not-allowed",
                f"Permission denied: {user.name} needs `{verb}` on stores in namespace {self._namespace}.",
                hint="Ask an administrator for a RoleBinding in that namespace to the ClusterRole urumi-operator, "
                "or urumi-viewer for read access.",
            )

    def proof(self, claim: str, token: str) -> str:
        """Return the token."""
        return token

    def token_of(self, claim: str, proof: str) -> str:
        """Return the proof, which is the token."""
        return proof

    def unauthorized(self, detail: str) -> ProblemError:
        """Return the problem, with the command that creates a token."""
        hint = (
            "Send Authorization: Bearer <token> with a token of this cluster, for example from `kubectl create token`."
        )
        return unauthorized(detail, hint)

    async def _user(self, token: str) -> User:
        if len(token) > MAX_TOKEN_LENGTH:
            raise self.unauthorized(
                f"Invalid token: it has {len(token)} characters, at most {MAX_TOKEN_LENGTH} are read."
            )
        user = None
        if _TOKEN.fullmatch(token):
            user = await self._users.get((_hash(token), ""), lambda: self._review_token(token))
        if user is None:
            raise self.unauthorized("Invalid token: the Kubernetes API does not accept it, or it has expired.")
        return user

    async def _review_token(self, token: str) -> User | None:
        status = await self._review(TOKEN_REVIEWS, {"token": token})
        user = status.get("user") or {}
        if status.get("authenticated") is not True or not user.get("username"):
            return None
        groups, extra = tuple(user.get("groups") or ()), user.get("extra") or {}
        return User(str(user["username"]), str(user.get("uid", "")), groups, extra)

    async def _review_access(self, user: User, verb: str) -> bool | None:
        access = {"namespace": self._namespace, "verb": verb, "group": STORES.group, "resource": STORES.plural}
        subject = {"user": user.name, "uid": user.uid, "groups": list(user.groups), "extra": user.extra}
        status = await self._review(ACCESS_REVIEWS, {**subject, "resourceAttributes": access})
        return True if status.get("allowed") is True else None

    async def _review(self, resource: Resource, spec: dict[str, Any]) -> dict[str, Any]:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
        try:
            async with asyncio.timeout(REVIEW_SECONDS), self._limiter:
                reviewed = await self._kube.create(resource, body)
        except TimeoutError as error:
            message = f"Token review failed: no response from the Kubernetes API within {REVIEW_SECONDS:g} s."
            raise ClusterUnreachable(message) from error
        status = reviewed.get("status")
        return status if isinstance(status, dict) else {}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
