"""A local Kubernetes without Docker, for people and for tests.

etcd, kube-apiserver, kube-controller-manager and kube-scheduler are the real programs, built from the Go modules pinned
in `go.mod`. kwok simulates the nodes and the pods: no image is pulled and no container runs. An annotation on every
node and pod states that.
"""
