"""The ingress controller of the node: Traefik, as k3s ships it, built from its Go modules."""
