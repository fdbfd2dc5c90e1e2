"""Urumi as a release of charts/platform, the same on kind, on a node of this machine and on an existing cluster."""
