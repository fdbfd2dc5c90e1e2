"""The local cluster: a real control plane as processes, simulated nodes and containers."""
