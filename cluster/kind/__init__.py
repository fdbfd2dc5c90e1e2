"""Urumi on a kind cluster: real containers in Docker, real shops.

kind is built from the module pinned in go.mod, which also pins the checksum of its node image. What prevents a cluster
on this machine is found before anything is created: `cluster.kind.troubles`.
"""
