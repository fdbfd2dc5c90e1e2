"""Every error of the platform, in one tree.

UrumiError                      what happened, to which store, what to do next
├── InvalidRequest              the caller's words are off; nothing was changed
├── ConfigError                 a setting of this process is wrong; names the setting
├── ApiError                    the server answered with a problem (RFC 9457)
│   ├── Unauthorized            401, 403
│   ├── NotFound                404
│   ├── Conflict                409
│   └── TooManyRequests         429
├── ServerUnreachable           no answer from the server
├── ProtocolError               an answer that is not of the protocol
├── ClusterError                the Kubernetes API answered with an error; has its status and reason
│   └── ClusterUnreachable      the Kubernetes API did not answer
├── ShopError                   a store's own shop did not answer as a shop does
│   └── AdministratorNotFound   the Secret with a store's administrator account is missing or unusable
└── StepError                   a step of the reconciler failed, with step and reason
    ├── TransientError          retried for ever with capped backoff
    ├── ConfigurationError      Stalled until spec, chart or quota changes, or a person retries
    ├── BlockedError            something outside holds the step up; looked at again, never forced
    └── ProvisionTimeout        MAX_PROVISION_SECONDS ran out; carries what was being waited for
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping


class UrumiError(Exception):
    """Base of every error that a person may see; `exit_code` is what the command ends with."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def sentence(self) -> str:
        """Return the message with the hint behind it, for a terminal or a log."""
        return f"{self.message} {self.hint}".strip()


class InvalidRequest(UrumiError):
    """Raised when a value given by the caller cannot be used; names the field."""

    exit_code = 2

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class ConfigError(UrumiError):
    """Raised when a setting of this process is missing or malformed."""

    exit_code = 2


class ApiError(UrumiError):
    """Raised when the server answers with a problem; `problem` is the RFC 9457 object as sent."""

    def __init__(self, status: int, problem: Mapping[str, object]) -> None:
        detail = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        super().__init__(detail, hint=str(problem.get("hint") or ""))
        self.status = status
        self.problem = dict(problem)

    @staticmethod
    def of(status: int, problem: Mapping[str, object]) -> ApiError:
        """Return the error class that fits the status."""
        classes: dict[int, type[ApiError]] = {
            401: Unauthorized,
            403: Unauthorized,
            404: NotFound,
            409: Conflict,
            429: TooManyRequests,
        }
        return classes.get(status, ApiError)(status, problem)


class Unauthorized(ApiError):
    """Raised when the token is missing, wrong, or not allowed to do this."""

    exit_code = 5


class NotFound(ApiError):
    """Raised when there is no such store."""

    exit_code = 3


class Conflict(ApiError):
    """Raised when the store exists with another engine, is being deleted, or a quota is full."""

    exit_code = 4


class TooManyRequests(ApiError):
    """Raised when the caller creates stores faster than the platform allows."""

    exit_code = 4


class ServerUnreachable(UrumiError):
    """Raised when the server does not answer at all."""

    exit_code = 6


class ProtocolError(UrumiError):
    """Raised when the server sends something that the protocol does not know."""

    exit_code = 6


class ClusterError(UrumiError):
    """Raised when the Kubernetes API answers with an error; `status` is the HTTP status, 0 for none."""

    def __init__(
        self, message: str, *, status: int, reason: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class ClusterUnreachable(ClusterError):
    """Raised when the Kubernetes API does not answer."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=0, reason="Unreachable")


class ShopError(UrumiError):
    """Raised when a store's shop does not answer, or not as a shop does."""


class AdministratorNotFound(ShopError):
    """Raised when the Secret with a store's administrator account is missing, belongs to another, or lacks a key."""


class StepError(UrumiError):
    """Base of the reconciler's errors; `reason` is one CamelCase word, as conditions want it."""

    def __init__(self, message: str, *, step: str, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.step = step
        self.reason = reason


class TransientError(StepError):
    """Raised when trying the same again later may well work."""


class ConfigurationError(StepError):
    """Raised when trying the same again cannot work until something is changed."""


class BlockedError(StepError):
    """Raised when something that is not ours stands in the way."""


class ProvisionTimeout(StepError):
    """Raised when a provision took longer than MAX_PROVISION_SECONDS."""
