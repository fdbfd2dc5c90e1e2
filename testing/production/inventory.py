"""Everything in a cluster, to compare before and after: each object of each kind that can be listed and deleted."""

from testing.kubectl import Kubectl

# Kinds that appear and disappear without anybody's doing.
TRANSIENT = ("Event", "Lease", "EndpointSlice", "Endpoints", "Pod", "ReplicaSet")
PATH = '{range .items[*]}{.kind} {.metadata.namespace} {.metadata.name}{"\\n"}{end}'


def inventory(kubectl: Kubectl) -> frozenset[str]:
    """Return every object as kind, namespace and name."""
    kinds = kubectl.run("api-resources", "--verbs=list,delete", "--output=name").split()
    listed = kubectl.run("get", ",".join(kinds), "--all-namespaces", f"--output=jsonpath={PATH}", "--chunk-size=0")
    return frozenset(line for line in listed.splitlines() if line and not line.startswith(TRANSIENT))
