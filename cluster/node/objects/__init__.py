"""What the cluster of the node has from the start: names, volumes."""
