"""Helm: running it as a process, and reading the state of its releases."""
