"""The table of the API: every operation with its parameters, answers and problems, in the order of the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.auth.identity import ANY
from server.openapi.operation import Answer, Operation
from urumi.wire import (
    CreateStore,
    Credentials,
    Deleted,
    EventList,
    Health,
    ListQuery,
    SignedIn,
    SignIn,
    Store,
    StoreList,
    UidQuery,
    Verification,
    WhichStore,
)

if TYPE_CHECKING:
    from server.auth.session_calls import SessionCalls
    from server.openapi.pages import ApiReference
    from server.ops.metrics import Metrics
    from server.ops.probes import Probes
    from server.stores.calls import StoreCalls
    from server.stores.credentials import CredentialsCall
    from server.stores.verification import VerificationCall

GUARDED = ("unauthorized", "internal", "cluster-unreachable", "cluster-refused")
REVIEWED = (*GUARDED, "not-allowed")
CHANGING = (*REVIEWED, "forbidden", "invalid-request")
BODY = ("malformed", "invalid-request", "unsupported-media-type", "too-large")
READ_HEADERS = ("ETag", "Cluster-Age-Seconds")
NOT_MODIFIED = Answer("Not changed since `If-None-Match`.", headers=READ_HEADERS)
TEXT = "text/plain"


def operations(
    stores: StoreCalls,
    verification: VerificationCall,
    credentials: CredentialsCall,
    session: SessionCalls,
    probes: Probes,
    metrics: Metrics,
    reference: ApiReference,
    open_reads: frozenset[str],
) -> tuple[Operation, ...]:
    """Return the table with the endpoints of one server."""
    return (
        *_stores(stores, verification, credentials),
        *_session(session),
        *_health(probes, metrics, open_reads),
        *_reference(reference),
    )


def _stores(calls: StoreCalls, verification: VerificationCall, credentials: CredentialsCall) -> tuple[Operation, ...]:
    store = "/stores/{store_id}"
    return (
        Operation(
            "GET",
            "/stores",
            calls.list,
            "listStores",
            "List stores: all of them, or one page",
            {200: Answer("The stores.", StoreList, headers=READ_HEADERS), 304: NOT_MODIFIED},
            (*REVIEWED, "invalid-request", "bad-cursor"),
            query=ListQuery,
            takes_etag=True,
            verb="list",
        ),
        Operation(
            "POST",
            "/stores",
            calls.create,
            "createStore",
            "Create a store",
            {
                202: Answer(
                    "The store was created and will be provisioned. For a repeated request with the same key: the "
                    "same store, with `Idempotency-Replayed`.",
                    Store,
                    headers=("Location", "Idempotency-Replayed"),
                ),
                200: Answer("A store with this id and engine already exists.", Store),
            },
            (*CHANGING, *BODY, "key-reused", "conflict", "quota-exceeded", "too-many-requests", "busy"),
            body=CreateStore,
            takes_key=True,
            description="A repeated request for the same storeId and engine never creates a second store. With an "
            "`Idempotency-Key`, a repeated request does not create the store again after it was deleted.",
            verb="create",
            action="create",
        ),
        Operation(
            "GET",
            store,
            calls.get,
            "getStore",
            "Read a store with its status",
            {200: Answer("The store.", Store, headers=READ_HEADERS), 304: NOT_MODIFIED},
            (*REVIEWED, "invalid-request", "not-found"),
            takes_etag=True,
            verb="get",
        ),
        Operation(
            "DELETE",
            store,
            calls.delete,
            "deleteStore",
            "Delete a store and all its data",
            {
                202: Answer("The deletion was requested.", Deleted),
                200: Answer("The store does not exist; `reason` is `NotFound`.", Deleted),
            },
            (*CHANGING, "conflict"),
            query=UidQuery,
            verb="delete",
            action="delete",
        ),
        Operation(
            "GET",
            f"{store}/events",
            calls.events,
            "listEvents",
            "Read the timeline of a store, oldest event first",
            {200: Answer("The timeline.", EventList, headers=READ_HEADERS), 304: NOT_MODIFIED},
            (*REVIEWED, "invalid-request", "not-found"),
            takes_etag=True,
            verb="get",
        ),
        Operation(
            "POST",
            f"{store}/retry",
            calls.retry,
            "retryStore",
            "Start the next attempt now",
            {202: Answer("The retry was requested.", Store)},
            (*CHANGING, "not-found", "conflict"),
            query=UidQuery,
            verb="update",
            action="retry",
        ),
        Operation(
            "POST",
            f"{store}/verify",
            verification.verify,
            "verifyStore",
            "Place a test order in the shop and cancel it",
            {200: Answer("The result; `ok` is true if the order was placed and cancelled.", Verification)},
            (*REVIEWED, "forbidden", "not-found", "conflict"),
            verb="update",
            action="verify",
        ),
        Operation(
            "POST",
            f"{store}/credentials",
            credentials.read,
            "readCredentials",
            "Read the admin account of the shop; every call is audited",
            {200: Answer("The admin account.", Credentials)},
            (*REVIEWED, *BODY, "forbidden", "not-found", "conflict"),
            body=WhichStore,
            is_body_optional=True,
            verb="update",
            action="credentials",
        ),
    )


def _session(session: SessionCalls) -> tuple[Operation, ...]:
    return (
        Operation(
            "GET",
            "/session",
            session.who,
            "whoAmI",
            "Read who is signed in",
            {200: Answer("The caller.", SignedIn)},
            GUARDED,
            verb=ANY,
        ),
        Operation(
            "POST",
            "/session",
            session.sign_in,
            "signIn",
            "Sign in: exchange the token for the session cookie of the page",
            {204: Answer("Signed in; the cookie is HttpOnly and SameSite=Strict.", headers=("Set-Cookie",))},
            (*GUARDED, "forbidden", *BODY),
            body=SignIn,
            description="For the page only: the `Origin` or `Sec-Fetch-Site` header must be that of the page.",
            action="sign in",
        ),
        Operation(
            "DELETE",
            "/session",
            session.sign_out,
            "signOut",
            "Sign out: end the session of the page",
            {204: Answer("Signed out; the cookie is refused from now on.", headers=("Set-Cookie",))},
            (*GUARDED, "forbidden"),
            description="Ends the session on every replica and closes its WebSockets. A bearer token remains valid.",
            verb=ANY,
            action="sign out",
        ),
    )


def _health(probes: Probes, metrics: Metrics, open_reads: frozenset[str]) -> tuple[Operation, ...]:
    return (
        Operation(
            "GET",
            "/livez",
            probes.livez,
            "live",
            "Liveness: the event loop runs",
            {200: Answer("The event loop runs.", media_type=TEXT)},
            ("internal",),
        ),
        Operation(
            "GET",
            "/readyz",
            probes.readyz,
            "ready",
            "Readiness: the server can serve requests",
            {200: Answer("Ready.", media_type=TEXT), 503: Answer("Not ready: one reason per line.", media_type=TEXT)},
            ("internal",),
        ),
        Operation(
            "GET",
            "/healthz",
            probes.healthz,
            "health",
            "Health details: checks, leader, simulation",
            {200: Answer("Healthy.", Health), 503: Answer("Failing, with the reasons in `wrong`.", Health)},
            ("internal",) if "health" in open_reads else REVIEWED,
            verb=None if "health" in open_reads else "list",
        ),
        Operation(
            "GET",
            "/metrics",
            metrics.show,
            "metrics",
            "Metrics of this process for Prometheus",
            {200: Answer("The metrics.", media_type=TEXT)},
            ("internal",) if "metrics" in open_reads else REVIEWED,
            verb=None if "metrics" in open_reads else "list",
        ),
    )


def _reference(reference: ApiReference) -> tuple[Operation, ...]:
    return (
        Operation(
            "GET",
            "/openapi.json",
            reference.document,
            "document",
            "This document",
            {
                200: Answer("The OpenAPI 3.1 document.", media_type="application/json", headers=("ETag",)),
                304: Answer("Not changed since `If-None-Match`.", headers=("ETag",)),
            },
            ("internal",),
            takes_etag=True,
        ),
        Operation(
            "GET",
            "/docs",
            reference.page,
            "manual",
            "This document as a page",
            {200: Answer("The page.", media_type="text/html")},
            ("internal",),
        ),
    )
