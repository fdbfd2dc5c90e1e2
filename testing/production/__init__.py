"""What docs/production.md needs around a cluster: a registry, a builder, certificates, an operator's machine."""
