"""`urumi-tui`: the dashboard in a terminal, over `urumi.client` and `urumi.live`.

    LiveFeed -> Session (cache, connection) -> Dashboard (batches) -> StoreRows (filter, order) -> StoreTable (strips)
                                                   |
    key -> action -> the store's uid, captured -> dialog -> Client -> server -> LiveFeed

Imports go one way, and import-linter checks it: main > app > screens > commands > host > widgets > text > model.

Only the feed writes to the cache. The response of a call never does, so a late response cannot bring back a deleted
store. Changes are shown in batches, a few times a second, however fast they arrive. Every action carries the uid of the
store that was under the cursor when the key was pressed. Text from a server is never parsed as markup.

Not guaranteed: that every state of a store is shown; the newest is.
"""
