"""The reconcile of one store, one verb a module; each step is idempotent and found again after a crash."""
