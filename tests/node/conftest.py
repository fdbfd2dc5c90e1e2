"""The node of the run, and the installed platform on it."""

from testing.node.fixtures import installed, node, node_kubectl, say

__all__ = ["installed", "node", "node_kubectl", "say"]
