"""One reconcile: what it works with, which store and release it is about, and what this leader term remembers."""
