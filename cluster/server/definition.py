"""What the server needs in the cluster before it starts: the Store definition and its namespace."""

from cluster.errors import SetupError
from cluster.platform.clients import Tool
from cluster.platform.release import platform_namespace

DEFINITION = "crds/stores.yaml"


def apply_definition(kubectl: Tool) -> None:
    """Apply the Store definition and create the namespace.

    Raises:
        SetupError: kubectl failed; its message is on the terminal.
    """
    namespace = platform_namespace()
    if not (
        kubectl.passes("apply", "-f", DEFINITION)
        and kubectl.passes("wait", "--for=condition=Established", "--timeout=60s", "-f", DEFINITION)
        and (
            kubectl.attempt("get", "namespace", namespace).returncode == 0
            or kubectl.passes("create", "namespace", namespace)
        )
    ):
        raise SetupError(
            f"The Store definition or the namespace {namespace} could not be applied: see kubectl's message above."
        )
