"""The wire format: every request and response body and every WebSocket frame, as pydantic models.

Field names on the wire are camelCase, times are RFC 3339 in UTC with a trailing Z. Readers ignore unknown fields, so an
older client works with a newer server. The docstrings and descriptions here are published in `/openapi.json` and in
`docs/urumi.v1.schema.json`; `docs/protocol.md` describes the protocol.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from urumi.store import STORE_ID_MAX_LENGTH, STORE_ID_MIN_LENGTH, STORE_ID_PATTERN, Engine, Phase

SUBPROTOCOL = "urumi.v1"
MAX_PAGE = 1000
Sort = Literal["-createdAt", "createdAt", "storeId", "-storeId", "phase", "-phase", "engine", "-engine"]
MAX_SUBSCRIBED = 1000  # a client that needs more stores subscribes to all of them


class Wire(BaseModel):
    """Base of all models: camelCase on the wire, immutable, unknown fields are ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True, extra="ignore"
    )


class CreateStore(Wire):
    """The body of `POST /stores`. Unknown fields are rejected, so that a typo is not ignored."""

    model_config = ConfigDict(extra="forbid")

    store_id: str = Field(min_length=STORE_ID_MIN_LENGTH, max_length=STORE_ID_MAX_LENGTH, pattern=STORE_ID_PATTERN)
    engine: Engine


class ListQuery(Wire):
    """The query of `GET /stores`. Unknown parameters are rejected, so that a typo does not widen the list."""

    model_config = ConfigDict(extra="forbid")

    phase: Phase | None = Field(default=None, description="Return only stores in this phase.")
    engine: Engine | None = Field(default=None, description="Return only stores with this engine.")
    q: str = Field(
        default="", max_length=64, description="Return only stores with this text in their id, ignoring case."
    )
    sort: Sort = Field(
        default="-createdAt",
        description="The sort key; a leading - sorts in descending order. Ties are sorted by storeId.",
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=MAX_PAGE,
        description="The maximum number of stores in a page. Without it the response has all stores.",
    )
    cursor: str = Field(
        default="",
        alias="continue",
        max_length=512,
        description="`continue` of the previous page; phase, engine, q and sort must be the same.",
    )


class UidQuery(Wire):
    """The query of a request that changes one store."""

    model_config = ConfigDict(extra="forbid")

    uid: str = Field(
        default="",
        max_length=64,
        description="Apply the request only if the store has this uid, not to a newer store with the same id.",
    )


class NoQuery(Wire):
    """The query of a request without parameters."""

    model_config = ConfigDict(extra="forbid")


class SignIn(Wire):
    """The body of `POST /session`."""

    token: str


class SignedIn(Wire):
    """The response of `GET /session`."""

    user: str


class Condition(Wire):
    """A metav1.Condition."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str = ""
    message: str = ""
    observed_generation: int = 0
    last_transition_time: datetime | None = None


class StoreEvent(Wire):
    """One event of a store's timeline: `seconds` is the duration of the step, `count` the number of occurrences."""

    type: str
    message: str = ""
    timestamp: datetime
    level: Literal["info", "warning", "error"] = "info"
    step: str = ""
    seconds: float | None = None
    count: int = 1


class LastError(Wire):
    """The error of the last attempt; `hint` is the recommended next action."""

    step: str
    reason: str
    message: str
    hint: str = ""
    at: datetime | None = None


class Progress(Wire):
    """The progress of a provision or deletion: step `index` of `total`, and `message`, what it is waiting for."""

    step: str
    index: int
    total: int
    message: str = ""


class Release(Wire):
    """The Helm release of a store."""

    revision: int = 0
    chart_version: str = ""
    digest: str = ""


class RequestedBy(Wire):
    """Who requested the store."""

    user: str = ""
    ip: str = ""
    user_agent: str = ""


class Store(Wire):
    """One store, the same in lists, in single responses and in live frames."""

    store_id: str
    uid: str
    engine: Engine
    phase: Phase
    generation: int = 0
    observed_generation: int = 0
    namespace: str = ""
    release_name: str = ""
    url: str = ""
    admin_url: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    ready_at: datetime | None = None
    deletion_requested_at: datetime | None = None
    attempts: int = 0
    next_retry_at: datetime | None = None
    simulated: bool = Field(default=False, description="True if the store's containers are simulated by kwok.")
    progress: Progress | None = None
    last_error: LastError | None = None
    release: Release | None = None
    requested_by: RequestedBy | None = None
    conditions: tuple[Condition, ...] = ()
    events: tuple[StoreEvent, ...] = ()


class StoreList(Wire):
    """The response of `GET /stores`. `continue` is the token of the next page, absent on the last page."""

    items: tuple[Store, ...]
    cursor: str | None = Field(default=None, alias="continue", description="Opaque token of the next page.")
    remaining: int | None = Field(default=None, description="The number of stores after this page.")


class EventList(Wire):
    """The response of `GET /stores/{id}/events`, oldest event first."""

    store_id: str
    items: tuple[StoreEvent, ...]


class VerificationStage(Wire):
    """One stage of a verification: its result, duration, and `message`, the finding or the error."""

    name: str
    ok: bool
    seconds: float
    message: str = ""


class Verification(Wire):
    """The response of `POST /stores/{id}/verify`: whether a test order could be placed, and each stage of it.

    The test order is paid cash on delivery, looked up as the merchant, and cancelled afterwards. If only the
    cancellation failed, `message` states what is left in the shop.
    """

    store_id: str
    ok: bool
    order: str = ""
    total: str = ""
    message: str = ""
    stages: tuple[VerificationStage, ...] = ()


class Deleted(Wire):
    """The response of `DELETE /stores/{id}`. `reason` is `NotFound` if the store does not exist."""

    deleted: bool
    store_id: str
    reason: str | None = None


class WhichStore(Wire):
    """The optional body of `POST /stores/{id}/credentials`. With `uid`, only if the store has this uid."""

    model_config = ConfigDict(extra="forbid")

    uid: str = ""


class Credentials(Wire):
    """The response of `POST /stores/{id}/credentials`: the store's admin account. Do not log it."""

    store_id: str
    username: str
    password: str = Field(repr=False)
    admin_url: str = ""


class Leader(Wire):
    """The leader: the holder of the Lease, its term (`epoch`), and whether it is the responding process."""

    holder: str = ""
    epoch: int = 0
    is_this: bool


class Checks(Wire):
    """The health checks: which informers are synced, and the longest time since one of them received a response."""

    informers: dict[str, bool]
    silence_seconds: float


class Health(Wire):
    """The response of `GET /healthz`."""

    status: Literal["ok", "failing"]
    wrong: tuple[str, ...] = ()
    checks: Checks
    simulated: bool
    leader: Leader


class LimitReached(Wire):
    """The limit that a request exceeds: the name of the setting, its value, the current count, the time window."""

    name: str
    allowed: int
    current: int
    window_seconds: float | None = None


class ProblemDetail(Wire):
    """One invalid value, located by a JSON `pointer` into the body, a query `parameter` or a `header`."""

    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None
    message: str


class Problem(Wire):
    """An RFC 9457 problem. `type` is for programs, `detail` and `hint` are for people."""

    type: str
    title: str
    status: int
    detail: str = ""
    hint: str = ""
    instance: str = Field(
        default="", description="The id of the request, the same as in the header X-Request-Id and in the log."
    )
    errors: tuple[ProblemDetail, ...] = ()
    limit: LimitReached | None = None


class Resume(Wire):
    """The position in the stream up to which a client has received every change."""

    epoch: str
    seq: int


class Subscribe(Wire):
    """Client: the first frame of a connection. `stores` limits the stream to some ids."""

    type: Literal["subscribe"] = "subscribe"
    resume: Resume | None = None
    stores: Literal["all"] | Annotated[tuple[str, ...], Field(max_length=MAX_SUBSCRIBED)] = "all"


class Snapshot(Wire):
    """Server: a part of the snapshot; the part with `last` completes it."""

    type: Literal["snapshot"] = "snapshot"
    epoch: str
    seq: int
    stores: tuple[Store, ...]
    last: bool


class Delta(Wire):
    """Server: one store changed. `seq` increases; it skips numbers if several changes of a store were merged."""

    type: Literal["delta"] = "delta"
    seq: int
    op: Literal["upsert", "delete"]
    store_id: str
    uid: str
    store: Store | None = None


class Bookmark(Wire):
    """Server: no further changes for this client up to `seq`.

    `ageSeconds` is the time since the server's last response from the cluster, `clusterError` why the cluster is
    unreachable.
    """

    type: Literal["bookmark"] = "bookmark"
    epoch: str
    seq: int
    age_seconds: float = 0.0
    cluster_error: str = ""


class Resync(Wire):
    """Server: discard all stores; a new snapshot follows."""

    type: Literal["resync"] = "resync"
    reason: str


class Goodbye(Wire):
    """Server: it is shutting down; reconnect after about `retryMs` milliseconds."""

    type: Literal["goodbye"] = "goodbye"
    reason: str
    retry_ms: int = 1000


Frame = Annotated[Snapshot | Delta | Bookmark | Resync | Goodbye, Field(discriminator="type")]
FRAMES: TypeAdapter[Snapshot | Delta | Bookmark | Resync | Goodbye] = TypeAdapter(Frame)


def dump(model: Wire) -> dict[str, Any]:
    """Return the model as JSON values with camelCase names, without fields that are None."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)
