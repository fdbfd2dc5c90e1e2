"""The server: REST, the WebSocket hub, identity and the page, over the reconciler that runs in its lifespan.

    HTTP, WebSocket --> identity --> stores (REST), socket (live) --> hub <-- Store informer <-- Kubernetes API

Reads come from the informer's copy and cost the cluster nothing; writes go to the Kubernetes API and come back through
the informer like everybody else's. One process, one event loop, one port.
"""
