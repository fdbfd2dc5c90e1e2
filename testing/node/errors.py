"""What keeps a node from running, as a sentence for the test report."""


class NodeError(Exception):
    """Raised where the node cannot be brought up, taken down or given an image; says why and what to do."""
