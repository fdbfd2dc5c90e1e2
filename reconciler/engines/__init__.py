"""The engines: one module for each shop software that a store can run.

    engine          the protocol that every engine implements
    woocommerce     WooCommerce: WordPress with MariaDB
    medusa          Medusa: Node.js with PostgreSQL and Redis
    registry        the definition of each value of `urumi.store.Engine`
    session         HTTP calls to one store's services; failures are `ShopError` with a readable message
    secret_values   random passwords and keys
    administrator   reads the administrator account from the Secret of a store

Nothing here imports the reconcile loop or the server.
"""
