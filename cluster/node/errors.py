"""The error of the node."""

from cluster.errors import ClusterError


class NodeError(ClusterError):
    """The node cannot be started or stopped, or an image cannot be loaded; states the cause and what to do."""
