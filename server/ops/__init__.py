"""For operators and machines: logs, metrics, probes."""
