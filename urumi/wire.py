"""The wire: every body and every WebSocket frame, as models that validate and document themselves.

Field names on the wire are camelCase, times are RFC 3339 in UTC with a trailing Z. Readers ignore fields that they do
not know, so that a newer server and an older face get along; `docs/protocol.md` tells the story in words.
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
MAX_SUBSCRIBED = 1000  # whoever wants to hear of more stores by name asks for all


class Wire(BaseModel):
    """Base of all models: camelCase on the wire, immutable, tolerant of unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True, extra="ignore"
    )


class CreateStore(Wire):
    """The body of `POST /stores`; unknown fields are refused, so that a typo is not silently lost."""

    model_config = ConfigDict(extra="forbid")

    store_id: str = Field(min_length=STORE_ID_MIN_LENGTH, max_length=STORE_ID_MAX_LENGTH, pattern=STORE_ID_PATTERN)
    engine: Engine


class ListQuery(Wire):
    """The query of `GET /stores`; an unknown parameter is refused, so that a typo never widens a list."""

    model_config = ConfigDict(extra="forbid")

    phase: Phase | None = Field(default=None, description="Only stores in this phase.")
    engine: Engine | None = Field(default=None, description="Only stores of this engine.")
    q: str = Field(default="", max_length=64, description="Only stores with this in their id, in either case.")
    sort: Sort = Field(default="-createdAt", description="The order; with - the largest first. Ties go by storeId.")
    limit: int | None = Field(
        default=None, ge=1, le=MAX_PAGE, description="Stores a page; without it the answer has them all."
    )
    cursor: str = Field(
        default="",
        alias="continue",
        max_length=512,
        description="`continue` of the page before, with the same phase, engine, q and sort.",
    )


class UidQuery(Wire):
    """The query of a call that acts on one store."""

    model_config = ConfigDict(extra="forbid")

    uid: str = Field(
        default="",
        max_length=64,
        description="Act only if the store still has this uid, and is not another one of the same name by now.",
    )


class NoQuery(Wire):
    """The query of a call that has no parameters."""

    model_config = ConfigDict(extra="forbid")


class SignIn(Wire):
    """The body of `POST /session`."""

    token: str


class SignedIn(Wire):
    """The answer of `GET /session`."""

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
    """One line of a store's timeline; `seconds` is how long the step took, `count` how often it repeated."""

    type: str
    message: str = ""
    timestamp: datetime
    level: Literal["info", "warning", "error"] = "info"
    step: str = ""
    seconds: float | None = None
    count: int = 1


class LastError(Wire):
    """Why the last attempt did not get further; `hint` says what to do next."""

    step: str
    reason: str
    message: str
    hint: str = ""
    at: datetime | None = None


class Progress(Wire):
    """Where a running provision or deletion stands: step `index` of `total`, and what is being waited for."""

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
    """Who asked for the store."""

    user: str = ""
    ip: str = ""
    user_agent: str = ""


class Store(Wire):
    """One store, as lists, lookups and live frames carry it."""

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
    simulated: bool = Field(default=False, description="True where a kwok node stands in for real containers.")
    progress: Progress | None = None
    last_error: LastError | None = None
    release: Release | None = None
    requested_by: RequestedBy | None = None
    conditions: tuple[Condition, ...] = ()
    events: tuple[StoreEvent, ...] = ()


class StoreList(Wire):
    """The answer of `GET /stores`; `continue` leads to the next page and is absent on the last one."""

    items: tuple[Store, ...]
    cursor: str | None = Field(default=None, alias="continue", description="Opaque; the way to the next page.")
    remaining: int | None = Field(default=None, description="Exactly how many stores come after this page.")


class EventList(Wire):
    """The answer of `GET /stores/{id}/events`, oldest first."""

    store_id: str
    items: tuple[StoreEvent, ...]


class VerificationStage(Wire):
    """One part of a verification and how it went; `message` is what was found, or what went wrong."""

    name: str
    ok: bool
    seconds: float
    message: str = ""


class Verification(Wire):
    """The answer of `POST /stores/{id}/verify`: whether an order could be placed, and what was done for it.

    The order is paid cash on delivery, seen by the merchant, and taken out of the books again; where only that last
    part failed, `message` names what is left.
    """

    store_id: str
    ok: bool
    order: str = ""
    total: str = ""
    message: str = ""
    stages: tuple[VerificationStage, ...] = ()


class Deleted(Wire):
    """The answer of `DELETE /stores/{id}`; `reason` is `NotFound` where there was nothing to delete."""

    deleted: bool
    store_id: str
    reason: str | None = None


class WhichStore(Wire):
    """The body of `POST /stores/{id}/credentials`, which may be left out: with `uid`, only of that very store."""

    model_config = ConfigDict(extra="forbid")

    uid: str = ""


class Credentials(Wire):
    """The answer of `POST /stores/{id}/credentials`: the store's admin account, for nobody's log."""

    store_id: str
    username: str
    password: str = Field(repr=False)
    admin_url: str = ""


class Leader(Wire):
    """Who reconciles: the holder of the lease, its term, and whether that is the process that answers."""

    holder: str = ""
    epoch: int = 0
    is_this: bool


class Checks(Wire):
    """What health looks at: which kinds are listed, and how long the quietest has been silent."""

    informers: dict[str, bool]
    silence_seconds: float


class Health(Wire):
    """The answer of `GET /healthz`."""

    status: Literal["ok", "failing"]
    wrong: tuple[str, ...] = ()
    checks: Checks
    simulated: bool
    leader: Leader


class LimitReached(Wire):
    """Which limit a request met: the setting's name, what it allows, what is there, and in which time."""

    name: str
    allowed: int
    current: int
    window_seconds: float | None = None


class ProblemDetail(Wire):
    """What is wrong at one place: `pointer` into the body, `parameter` of the query, or `header`."""

    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None
    message: str


class Problem(Wire):
    """An RFC 9457 problem; clients switch on `type`, people read `detail` and `hint`."""

    type: str
    title: str
    status: int
    detail: str = ""
    hint: str = ""
    instance: str = Field(default="", description="The request's id, as in the header X-Request-Id and in the log.")
    errors: tuple[ProblemDetail, ...] = ()
    limit: LimitReached | None = None


class Resume(Wire):
    """The place in the stream up to which a client has seen everything."""

    epoch: str
    seq: int


class Subscribe(Wire):
    """Client: the first frame of a socket; `stores` narrows the stream to some ids."""

    type: Literal["subscribe"] = "subscribe"
    resume: Resume | None = None
    stores: Literal["all"] | Annotated[tuple[str, ...], Field(max_length=MAX_SUBSCRIBED)] = "all"


class Snapshot(Wire):
    """Server: a part of the whole picture; the picture is complete with the part that says `last`."""

    type: Literal["snapshot"] = "snapshot"
    epoch: str
    seq: int
    stores: tuple[Store, ...]
    last: bool


class Delta(Wire):
    """Server: one store changed; `seq` rises, and skips where several changes of a store were folded into one."""

    type: Literal["delta"] = "delta"
    seq: int
    op: Literal["upsert", "delete"]
    store_id: str
    uid: str
    store: Store | None = None


class Bookmark(Wire):
    """Server: nothing for this client up to `seq`.

    `ageSeconds` tells how long the cluster has been silent, `clusterError` why it is out of the server's sight.
    """

    type: Literal["bookmark"] = "bookmark"
    epoch: str
    seq: int
    age_seconds: float = 0.0
    cluster_error: str = ""


class Resync(Wire):
    """Server: forget the picture, a new snapshot follows."""

    type: Literal["resync"] = "resync"
    reason: str


class Goodbye(Wire):
    """Server: it stops; come back after about `retryMs` milliseconds."""

    type: Literal["goodbye"] = "goodbye"
    reason: str
    retry_ms: int = 1000


Frame = Annotated[Snapshot | Delta | Bookmark | Resync | Goodbye, Field(discriminator="type")]
FRAMES: TypeAdapter[Snapshot | Delta | Bookmark | Resync | Goodbye] = TypeAdapter(Frame)


def dump(model: Wire) -> dict[str, Any]:
    """Return the model as plain JSON values with camelCase names, absent fields left out."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)
