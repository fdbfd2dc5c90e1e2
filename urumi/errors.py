"""Every error of the platform, in one tree.

UrumiError                      what happened, to which store, what to do next
├── InvalidRequest              a value in the request is invalid; nothing was changed
├── ConfigError                 a setting of this process is missing or malformed; names the setting
├── ApiError                    the server returned a problem (RFC 9457)
│   ├── Unauthorized            401, 403
│   ├── NotFound                404
│   ├── Conflict                409
│   └── TooManyRequests         429
├── ServerUnreachable           no response from the server
├── ProtocolError               a response that does not follow the protocol
├── ClusterError                the Kubernetes API returned an error; has its status and reason
│   ├── ClusterNotFound         404
│   ├── ClusterConflict         409
│   └── ClusterUnreachable      the Kubernetes API did not respond
├── ShopError                   a store's shop did not respond, or responded unexpectedly
│   └── AdministratorNotFound   the Secret with a store's administrator account is missing or unusable
└── StepError                   a step of the reconciler failed, with step and reason
    ├── TransientError          retried indefinitely with capped backoff
    ├── ConfigurationError      Stalled until spec, chart or quota changes, or a retry is requested
    ├── BlockedError            something outside Urumi blocks the step; checked again, never forced
    └── ProvisionTimeout        URUMI_MAX_PROVISION_SECONDS elapsed; states what was still missing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping


SERVER_HINT = "Start it (./setup.sh, or `urumi serve`), or pass another --url."


class UrumiError(Exception):
    """Base of every error shown to a user; `exit_code` is the exit code of the command."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def sentence(self) -> str:
        """Return the message followed by the hint, on one line."""
        return f"{self.message} {self.hint}".strip()


class InvalidRequest(UrumiError):
    """Raised when a value from the caller is invalid; `field` names it."""

    exit_code = 2

    def __init__(self, message: str, *, field: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class ConfigError(UrumiError):
    """Raised when a setting of this process is missing or malformed."""

    exit_code = 2


class ApiError(UrumiError):
    """Raised when the server returns a problem; `problem` is the RFC 9457 object as received."""

    def __init__(self, status: int, problem: Mapping[str, object]) -> None:
        detail = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        super().__init__(detail, hint=str(problem.get("hint") or ""))
        self.status = status
        self.problem = dict(problem)

    @staticmethod
    def of(status: int, problem: Mapping[str, object]) -> ApiError:
        """Return the error of the class that matches the status."""
        classes: dict[int, type[ApiError]] = {
            401: Unauthorized,
            403: Unauthorized,
            404: NotFound,
            409: Conflict,
            429: TooManyRequests,
        }
        return classes.get(status, ApiError)(status, problem)


class Unauthorized(ApiError):
    """Raised when the token is missing or invalid (401), or lacks the permission (403)."""

    exit_code = 5


class NotFound(ApiError):
    """Raised when the store does not exist."""

    exit_code = 3


class Conflict(ApiError):
    """Raised when the store exists with another engine or is being deleted, or a quota is exhausted."""

    exit_code = 4


class TooManyRequests(ApiError):
    """Raised when the caller exceeds the rate limit for creating stores."""

    exit_code = 4


class ServerUnreachable(UrumiError):
    """Raised when the server does not respond."""

    exit_code = 6

    def __init__(self, message: str, *, hint: str = SERVER_HINT) -> None:
        super().__init__(message, hint=hint)


class ProtocolError(UrumiError):
    """Raised when the server sends something that the protocol does not define."""

    exit_code = 6


class ClusterError(UrumiError):
    """Raised when the Kubernetes API returns an error; `status` is the HTTP status, 0 if there was no response."""

    def __init__(
        self, message: str, *, status: int, reason: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class ClusterNotFound(ClusterError):
    """Raised when the object, its namespace or its kind does not exist."""

    def __init__(
        self, message: str, *, status: int = 404, reason: str = "NotFound", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message, status=status, reason=reason, retry_after_seconds=retry_after_seconds)


class ClusterConflict(ClusterError):
    """Raised when the object exists already, was changed since it was read, or has another uid; see `reason`."""

    def __init__(
        self, message: str, *, status: int = 409, reason: str = "Conflict", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message, status=status, reason=reason, retry_after_seconds=retry_after_seconds)


class ClusterUnreachable(ClusterError):
    """Raised when the Kubernetes API does not respond."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=0, reason="Unreachable")


class ShopError(UrumiError):
    """Raised when a store's shop does not respond, or responds unexpectedly."""


class AdministratorNotFound(ShopError):
    """Raised when the Secret with a store's administrator account is missing, is not the store's, or lacks a key."""


class StepError(UrumiError):
    """Base of the reconciler's errors; `reason` is one CamelCase word, as in a condition."""

    def __init__(self, message: str, *, step: str, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.step = step
        self.reason = reason


class TransientError(StepError):
    """Raised when the same step may succeed later."""


class ConfigurationError(StepError):
    """Raised when the same step cannot succeed until something is changed."""


class BlockedError(StepError):
    """Raised when an object that Urumi does not own blocks the step."""


class ProvisionTimeout(StepError):
    """Raised when a provision takes longer than URUMI_MAX_PROVISION_SECONDS."""
