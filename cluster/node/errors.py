"""The errors of the node."""

from cluster.errors import ClusterError


class NodeError(ClusterError):
    """The node cannot be started or stopped, or an image cannot be loaded; states the cause and what to do."""


class NodeEndedError(NodeError):
    """The node ended while something waited for it, because one of its programs did."""
