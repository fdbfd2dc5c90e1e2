"""The error of each HTTP status, and the exit codes, which must match the help of the command."""

import pytest

from urumi.cli.arguments import EPILOG
from urumi.cli.main import INTERRUPTED, READER_GONE
from urumi.cli.waiting import AwaitedStoreError
from urumi.errors import (
    ApiError,
    ConfigError,
    Conflict,
    InvalidRequest,
    NotFound,
    ProtocolError,
    ServerUnreachable,
    TooManyRequests,
    Unauthorized,
    UrumiError,
)

CODES = {
    UrumiError: 1,
    ApiError: 1,
    InvalidRequest: 2,
    ConfigError: 2,
    NotFound: 3,
    Conflict: 4,
    TooManyRequests: 4,
    Unauthorized: 5,
    ServerUnreachable: 6,
    ProtocolError: 6,
    AwaitedStoreError: 7,
}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ApiError),
        (401, Unauthorized),
        (403, Unauthorized),
        (404, NotFound),
        (409, Conflict),
        (422, ApiError),
        (429, TooManyRequests),
        (500, ApiError),
        (503, ApiError),
    ],
)
def test_a_status_becomes_its_error(status: int, kind: type[ApiError]) -> None:
    error = ApiError.of(status, {"detail": "What happened.", "hint": "What to do."})
    assert type(error) is kind
    assert error.status == status
    assert error.sentence() == "What happened. What to do."


@pytest.mark.parametrize(
    ("problem", "message"),
    [({"title": "Not found"}, "Not found"), ({}, "HTTP 404"), ({"detail": "", "title": "T", "hint": None}, "T")],
)
def test_an_incomplete_problem_still_has_a_message(problem: dict[str, object], message: str) -> None:
    assert ApiError.of(404, problem).sentence() == message


@pytest.mark.parametrize(("kind", "code"), CODES.items())
def test_exit_codes_are_as_documented(kind: type[UrumiError], code: int) -> None:
    assert kind.exit_code == code
    assert f" {code}  " in EPILOG


def test_the_help_names_the_codes_of_signals() -> None:
    assert f"{INTERRUPTED}  interrupted" in EPILOG
    assert f"{READER_GONE}  output pipe" in EPILOG
