"""`urumi-tui`: the dashboard in a terminal, over `urumi.client` and `urumi.live`.

    LiveFeed -> Session (book, link) -> Dashboard (batches) -> Roster (filter, order) -> StoreTable (strips)
                                                |
    key -> action -> the store's uid, captured -> dialog -> Client -> server -> LiveFeed

Only the feed writes to the book; what a call answers never does, so an answer that was overtaken cannot bring back a
store that is gone. Changes are shown in batches, a few times a second, however fast they come. Everything that acts
carries the uid of the store that was under the cursor when the key was pressed. Text of a server is never markup.

Not guaranteed: that every state a store went through is seen; the newest is.
"""
