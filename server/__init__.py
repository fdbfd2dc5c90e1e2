"""The server: REST, the live feed, identity and the page; the reconciler runs in its lifespan.

    HTTP, WebSocket --> identity --> stores (REST), socket (live) --> hub <-- Store informer <-- Kubernetes API

Reads come from the informer's copy and send no request to the cluster; writes go to the Kubernetes API and return
through the informer like every other change. One process, one event loop, one port.

    main > app > openapi > ops > live > stores > auth > http > settings      imports go to the right only
"""
