"""The world beside the cluster: a network of its own with addresses as a shop meets them, and servers on them.

Pods reach it as they reach the internet, through the node; nothing of it is left when the node ends.
"""

from testing.node.node import Node

NAME = "outside"
GATEWAY = "203.0.113.1"
# Of TEST-NET-3, which stands for any address of the internet.
INTERNET = "203.0.113.10"
# Where clouds tell a machine its secrets.
METADATA = "169.254.169.254"
# Where many clusters have a cache of DNS on each node.
NODE_DNS = "169.254.20.10"
# Of the company that the cluster stands in.
INTRANET = "192.168.77.10"
ADDRESSES = (INTERNET, METADATA, NODE_DNS, INTRANET)
PORTS = (25, 53, 80, 443, 465, 587)


def make_outside(node: Node) -> None:
    """Make the network, where it is not there yet; every address answers on every port."""
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
