"""Identity in a cluster: the Kubernetes API says whose token it is (TokenReview) and what they may do
(SubjectAccessReview on stores.stores.urumi.ai in the platform's namespace), so that ordinary RBAC decides.

    token --> sha256 --> remembered user?  --> remembered answer for the verb? --> let in
                          | no                  | no
                          TokenReview           SubjectAccessReview

Answers are remembered for a short time, refusals for a shorter one, by the hash of the token. Whoever asks for what is
being asked already waits for that answer, so a thousand sockets of one person are one review. What cannot be found out
is never taken for a yes or a no: the ClusterError goes on to the caller as 503.

The session cookie is the token itself, in a cookie that no script can read: there is no key that replicas would have to
share, and a token that is revoked ends its sessions. Not guaranteed: that a revocation counts at once. It does when
what is remembered has lapsed, here and in the API server, which remembers tokens for about 10 s by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from reconciler.kube.resources import STORES, Resource
from server.auth.authority import stranger
from server.http.problems import ProblemError
from urumi.errors import ClusterUnreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.kube.client import Kube

REVIEW_SECONDS = 5.0
REFUSAL_SECONDS = 5.0
REMEMBERED = 4096
REVIEWS_AT_ONCE = 16
TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
ACCESS_REVIEWS = Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False)

# A cookie holds 4096 bytes with its name and attributes.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:-]{1,3800}")

Key = tuple[str, str]
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody as a TokenReview names them."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, list[str]] = field(default_factory=dict)


class Memory(Generic[V]):
    """Answers by key, each believed for a while; a bounded number of them. None is an answer too: a refusal."""

    def __init__(self, seconds: float, refusal_seconds: float, size: int = REMEMBERED) -> None:
        self._seconds = seconds
        self._refusal_seconds = min(seconds, refusal_seconds)
        self._size = size
        self._known: dict[Key, tuple[float, V | None]] = {}
        self._asked: dict[Key, asyncio.Task[V | None]] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def get(self, key: Key, ask: Callable[[], Awaitable[V | None]]) -> V | None:
        """Return what is remembered, or ask; errors go to everybody who waits and are not remembered."""
        lapses, answer = self._known.get(key, (0.0, None))
        if lapses > time.monotonic():
            return answer
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._ask(key, ask))
        # Whoever goes away while it is asked takes the answer from nobody else.
        return await asyncio.shield(self._asked[key])

    async def _ask(self, key: Key, ask: Callable[[], Awaitable[V | None]]) -> V | None:
        try:
            answer = await ask()
        finally:
            del self._asked[key]
        seconds = self._refusal_seconds if answer is None else self._seconds
        self._known.pop(key, None)
        self._known[key] = (time.monotonic() + seconds, answer)
        while len(self._known) > self._size:
            del self._known[next(iter(self._known))]
        return answer


class ClusterAuthority:
    """Asks the Kubernetes API.

    Args:
        kube: the API, as the server itself.
        namespace: where the stores are.
        remember_seconds: how long an answer counts.
    """

    def __init__(self, kube: Kube, namespace: str, remember_seconds: float) -> None:
        self._kube = kube
        self._namespace = namespace
        self._users: Memory[User] = Memory(remember_seconds, REFUSAL_SECONDS)
        self._rights: Memory[bool] = Memory(remember_seconds, REFUSAL_SECONDS)
        self._slots = asyncio.Semaphore(REVIEWS_AT_ONCE)

    async def identify(self, token: str) -> str:
        """Return the user's name, as RBAC knows it."""
        return (await self._user(token)).name

    async def permit(self, token: str, verb: str) -> None:
        """Let those pass whom RBAC allows the verb on stores."""
        user = await self._user(token)
        if not await self._rights.get((_hash(token), verb), lambda: self._review_access(user, verb)):
            raise ProblemError(
                "not-allowed",
                f"{user.name} may not {verb} stores in the namespace {self._namespace}.",
                hint="Ask for a RoleBinding there to the ClusterRole urumi-operator, or urumi-viewer to look only.",
            )

    def cookie(self, token: str) -> str:
        """Return the token."""
        return token

    def token_in(self, cookie: str) -> str:
        """Return the cookie's value, which is the token."""
        return cookie

    def unauthorized(self, detail: str) -> ProblemError:
        """Return the problem, with how to get a token."""
        hint = "Send Authorization: Bearer <token> with one of this cluster, as `kubectl create token` makes them."
        return stranger(detail, hint)

    async def _user(self, token: str) -> User:
        user = None
        if _TOKEN.fullmatch(token):
            user = await self._users.get((_hash(token), ""), lambda: self._review_token(token))
        if user is None:
            raise self.unauthorized("The Kubernetes API does not know the token, or not any more.")
        return user

    async def _review_token(self, token: str) -> User | None:
        status = await self._review(TOKEN_REVIEWS, {"token": token})
        found = status.get("user") or {}
        if status.get("authenticated") is not True or not found.get("username"):
            return None
        groups, extra = tuple(found.get("groups") or ()), found.get("extra") or {}
        return User(str(found["username"]), str(found.get("uid", "")), groups, extra)

    async def _review_access(self, user: User, verb: str) -> bool | None:
        what = {"namespace": self._namespace, "verb": verb, "group": STORES.group, "resource": STORES.plural}
        who = {"user": user.name, "uid": user.uid, "groups": list(user.groups), "extra": user.extra}
        status = await self._review(ACCESS_REVIEWS, {**who, "resourceAttributes": what})
        return True if status.get("allowed") is True else None

    async def _review(self, resource: Resource, spec: dict[str, Any]) -> dict[str, Any]:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
        try:
            async with asyncio.timeout(REVIEW_SECONDS), self._slots:
                answer = await self._kube.create(resource, body)
        except TimeoutError as error:
            message = f"The Kubernetes API did not say within {REVIEW_SECONDS:g} s who is calling."
            raise ClusterUnreachable(message) from error
        status = answer.get("status")
        return status if isinstance(status, dict) else {}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
