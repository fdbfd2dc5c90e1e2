"""Every error of the clusters and of setup.sh, in one tree.

ClusterError                    what failed, and what to do next
├── ObstacleError               this machine lacks what a cluster needs; raised before anything is created
├── SetupError                  a step of setup.sh failed
├── BuildError                  the programs could not be built; quotes the compiler's output
│   ├── SourceError             a file with a finished program has the wrong checksum, or no such program in it
│   ├── ToolchainError          no usable Go, and none could be installed
│   └── DiskSpaceError          not enough disk space to build
├── StartError                  a component did not start; names it and its log
├── StopError                   a component could not be stopped
├── ApiServerError              the API server does not respond, or responds with an error
├── KindError                   a step of the kind cluster failed, or one of its settings is wrong
├── ImageError                  an image of Urumi could not be built or pushed
└── PlatformError               charts/platform could not be installed, or its pods are not ready
"""


class ClusterError(Exception):
    """Base of all errors shown to users."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def sentence(self) -> str:
        """Return the message followed by the hint."""
        return f"{self.message} {self.hint}".strip()


class ObstacleError(ClusterError):
    """Raised before a cluster is created that could not work on this machine."""


class SetupError(ClusterError):
    """Raised when a step of setup.sh fails."""


class BuildError(ClusterError):
    """Raised when a program cannot be built or the built one does not work."""


class SourceError(BuildError):
    """Raised when a file with a finished program is not what was pinned."""


class ToolchainError(BuildError):
    """Raised when no recent enough Go is found and none can be installed."""


class DiskSpaceError(BuildError):
    """Raised when the disk is too full for a build."""


class StartError(ClusterError):
    """Raised when a component exits during startup or is not ready in time."""


class ApiServerError(ClusterError):
    """Raised when the API server does not respond, or responds with an error."""


class KindError(ClusterError):
    """Raised when Docker or kind fails, and for a wrong setting of the kind cluster."""


class ImageError(ClusterError):
    """Raised when an image cannot be built or pushed."""


class StopError(ClusterError):
    """Raised when a component survives SIGKILL."""


class PlatformError(ClusterError):
    """Raised when the platform's release cannot be installed on a cluster, or does not become ready."""
