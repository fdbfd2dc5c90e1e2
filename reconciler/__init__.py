"""Desired state to cluster: informers, queue, steps, Helm, health. Pure asyncio, no HTTP server.

    Store informer --> WorkQueue --> Controller --> steps (namespace, guardrails, credentials, release, health)
    workload and release informers --> WorkQueue            |--> status patch (and so back into the Store informer)

One reconcile runs per store at a time and looks at the whole desired and observed state; which event woke it does not
matter. Nothing is kept here that a restart would lose.
"""
