"""What runs in the namespaces of the node: its first process, the programs and their configuration."""
