"""The network outside the cluster: a separate network namespace with typical addresses, and servers on them.

Pods reach it through the node, as they reach the internet; it is deleted with the node.
"""

from cluster.node.node import Node

NAME = "outside"
GATEWAY = "203.0.113.1"
# In TEST-NET-3, in place of any address of the internet.
INTERNET = "203.0.113.10"
# The metadata service of clouds.
METADATA = "169.254.169.254"
# The node-local DNS cache of many clusters.
NODE_DNS = "169.254.20.10"
# A private address outside the cluster.
INTRANET = "192.168.77.10"
ADDRESSES = (INTERNET, METADATA, NODE_DNS, INTRANET)
PORTS = (25, 53, 80, 443, 465, 587)


def make_outside(node: Node) -> None:
    """Create the network unless it exists; every address accepts connections on every port."""
    if NAME in node.inside("ip", "netns", "list").split():
        return
    here, there = ("ip", "link"), ("ip", "netns", "exec", NAME)
    node.inside("ip", "netns", "add", NAME)
    node.inside(*here, "add", NAME, "type", "veth", "peer", "name", "cluster", "netns", NAME)
    node.inside(*here, "set", NAME, "up")
    node.inside(*there, "ip", "link", "set", "cluster", "up")
    for address in ADDRESSES:
        node.inside(*there, "ip", "address", "add", f"{address}/32", "dev", "cluster")
        node.inside("ip", "route", "add", address, "dev", NAME)
    node.inside("ip", "address", "add", f"{GATEWAY}/32", "dev", NAME)
    node.inside(*there, "ip", "route", "add", GATEWAY, "dev", "cluster")
    node.inside(*there, "ip", "route", "add", "default", "via", GATEWAY)
    for port in PORTS:
        node.inside(*there, "busybox", "httpd", "-p", str(port), "-h", "/")
