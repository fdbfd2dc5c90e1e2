"""The error of the node, a message for the test report."""


class NodeError(Exception):
    """The node cannot be started or stopped, or an image cannot be loaded; states the cause and what to do."""
