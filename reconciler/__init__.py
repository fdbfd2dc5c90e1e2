"""Desired state to cluster: informers, queue, steps, Helm, health. Pure asyncio, no HTTP server.

    informers (stores, workloads, releases, ...) --> WorkQueue --> LeaderLoop --> steps --> Helm, namespaced objects
                                                                                |--> status patch (to the informer)

Steps of a provision: namespace, isolation, credentials, release, health, storefront. One reconcile runs per store at a
time. It evaluates the whole desired and observed state and does not depend on the event that queued it. The process
keeps nothing that a restart would lose.

Packages import in one direction, from the first to the last; import-linter enforces it:

    controller, leader_loop, operations, steps, view, store, helm, engines,
    cache | leaderelection | queue, kube, settings | metrics
"""
