"""A local Kubernetes without Docker, for people and for tests.

etcd, kube-apiserver, kube-controller-manager and kube-scheduler are the real ones, built from the Go modules pinned in
`go.mod`. kwok plays the nodes and the pods: nothing is pulled and no container runs, which every node and pod says.
"""
