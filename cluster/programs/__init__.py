"""The programs of a cluster: where they come from, and the cache that keeps them."""
