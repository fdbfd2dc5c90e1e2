"""The error of the node, as a sentence for the test report."""


class NodeError(Exception):
    """Raised when the node cannot be started or stopped, or an image not loaded; states the cause and what to do."""
