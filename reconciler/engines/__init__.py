"""What a shop of each engine is from outside: how a shopper finds something to buy, and how an order is placed.

    visit         HTTP to one store's services, every failure a sentence
    shop          what every engine's shop can be asked
    woocommerce   the Store API of WooCommerce
    medusa        the Store API of Medusa
    known         which shop belongs to which engine

Nothing here knows of the reconcile loop. `reconciler.storefront` walks through a shop before a store is called Ready,
the server's `verify` call places an order in it.
"""
