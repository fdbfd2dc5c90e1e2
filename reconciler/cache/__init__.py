"""The live copy of the cluster: reflector, object store, dispatch of changes, consistency check."""
