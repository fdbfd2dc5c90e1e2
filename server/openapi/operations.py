"""The table of the API: every operation with its parameters, answers and problems, in the order of the manual."""

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
    from server.auth.session import Session
    from server.openapi.pages import Manual
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
NOT_MODIFIED = Answer("It is still what `If-None-Match` names.", headers=READ_HEADERS)
TEXT = "text/plain"


def operations(
    stores: StoreCalls,
    verification: VerificationCall,
    credentials: CredentialsCall,
    session: Session,
    probes: Probes,
    metrics: Metrics,
    manual: Manual,
    open_reads: frozenset[str],
) -> tuple[Operation, ...]:
    """Return the table for the endpoints of one server."""
    return (
        *_stores(stores, verification, credentials),
        *_session(session),
        *_health(probes, metrics, open_reads),
        *_manual(manual),
    )


def _stores(calls: StoreCalls, verification: VerificationCall, credentials: CredentialsCall) -> tuple[Operation, ...]:
    store = "/stores/{store_id}"
    return (
        Operation(
            "GET",
            "/stores",
            calls.list,
            "listStores",
            "All stores, or a page of some of them",
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
            "Ask for a store",
            {
                202: Answer(
                    "It is asked for. With a key that made this store before: the same again, said by "
                    "`Idempotency-Replayed`.",
                    Store,
                    headers=("Location", "Idempotency-Replayed"),
                ),
                200: Answer("A store of that id and engine exists; this is how it is.", Store),
            },
            (*CHANGING, *BODY, "key-reused", "conflict", "quota-exceeded", "too-many-requests", "busy"),
            body=CreateStore,
            takes_key=True,
            words="Asking again for the same storeId and engine never makes a second store. An `Idempotency-Key` also "
            "keeps a repeated request from making a store anew that was deleted in between.",
            verb="create",
            action="create",
        ),
        Operation(
            "GET",
            store,
            calls.get,
            "getStore",
            "One store: where it stands and why",
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
            "Delete a store with all its data",
            {
                202: Answer("It is being deleted.", Deleted),
                200: Answer("There was no such store; `reason` is `NotFound`.", Deleted),
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
            "The timeline of a store, oldest first",
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
            "Have the next attempt made now",
            {202: Answer("It is asked for.", Store)},
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
            "Place an order in the shop and take it back",
            {200: Answer("What came of it; `ok` says whether the shop sells.", Verification)},
            (*REVIEWED, "forbidden", "not-found", "conflict"),
            verb="update",
            action="verify",
        ),
        Operation(
            "POST",
            f"{store}/credentials",
            credentials.read,
            "readCredentials",
            "The admin account of the shop; each reading is on record",
            {200: Answer("The account.", Credentials)},
            (*REVIEWED, *BODY, "forbidden", "not-found", "conflict"),
            body=WhichStore,
            is_body_optional=True,
            verb="update",
            action="credentials",
        ),
    )


def _session(session: Session) -> tuple[Operation, ...]:
    return (
        Operation(
            "GET",
            "/session",
            session.who,
            "whoAmI",
            "Who is signed in",
            {200: Answer("The caller.", SignedIn)},
            GUARDED,
            verb=ANY,
        ),
        Operation(
            "POST",
            "/session",
            session.sign_in,
            "signIn",
            "Trade the token for the page's cookie",
            {204: Answer("Signed in; the cookie is HttpOnly and SameSite=Strict.", headers=("Set-Cookie",))},
            (*GUARDED, "forbidden", *BODY),
            body=SignIn,
            words="For the page only: the request must say in `Origin` or `Sec-Fetch-Site` that it comes from there.",
            action="sign in",
        ),
        Operation(
            "DELETE",
            "/session",
            session.sign_out,
            "signOut",
            "Clear the page's cookie",
            {204: Answer("Signed out.", headers=("Set-Cookie",))},
            (*GUARDED, "forbidden"),
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
            "Whether the process answers",
            {200: Answer("It does.", media_type=TEXT)},
            ("internal",),
        ),
        Operation(
            "GET",
            "/readyz",
            probes.readyz,
            "ready",
            "Whether the server is fit to serve",
            {200: Answer("It is.", media_type=TEXT), 503: Answer("What is missing, a line each.", media_type=TEXT)},
            ("internal",),
        ),
        Operation(
            "GET",
            "/healthz",
            probes.healthz,
            "health",
            "Health for people: checks, leader, simulation",
            {200: Answer("All is well.", Health), 503: Answer("What is wrong.", Health)},
            ("internal",) if "health" in open_reads else REVIEWED,
            verb=None if "health" in open_reads else "list",
        ),
        Operation(
            "GET",
            "/metrics",
            metrics.show,
            "metrics",
            "Numbers of this process for Prometheus",
            {200: Answer("The numbers.", media_type=TEXT)},
            ("internal",) if "metrics" in open_reads else REVIEWED,
            verb=None if "metrics" in open_reads else "list",
        ),
    )


def _manual(manual: Manual) -> tuple[Operation, ...]:
    return (
        Operation(
            "GET",
            "/openapi.json",
            manual.document,
            "document",
            "This document",
            {
                200: Answer("OpenAPI 3.1.", media_type="application/json", headers=("ETag",)),
                304: Answer("It is still what `If-None-Match` names.", headers=("ETag",)),
            },
            ("internal",),
            takes_etag=True,
        ),
        Operation(
            "GET",
            "/docs",
            manual.page,
            "manual",
            "This document as a page",
            {200: Answer("The page.", media_type="text/html")},
            ("internal",),
        ),
    )
