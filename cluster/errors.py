"""Every error of the local cluster, in one tree.

ClusterError                    what happened, and what to do next
├── BuildError                  the programs could not be built; has the compiler's last words
│   ├── ToolchainError          there is no usable Go and none could be installed
│   └── DiskSpaceError          too little room to build
├── StartError                  a component did not come up; names it and its log
├── StopError                   a component could not be ended
└── ApiServerError              the API server does not answer, or answers with an error
"""


class ClusterError(Exception):
    """Base of every error that a person may see."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def sentence(self) -> str:
        """Return the message with the hint behind it."""
        return f"{self.message} {self.hint}".strip()


class BuildError(ClusterError):
    """Raised when a program cannot be built or the built one does not work."""


class ToolchainError(BuildError):
    """Raised when there is no Go that is new enough and none can be installed."""


class DiskSpaceError(BuildError):
    """Raised when there is too little free space for a build."""


class StartError(ClusterError):
    """Raised when a component ends at its start or does not become ready in time."""


class ApiServerError(ClusterError):
    """Raised when the API server does not answer, or answers with an error."""


class StopError(ClusterError):
    """Raised when a component survives being killed."""
