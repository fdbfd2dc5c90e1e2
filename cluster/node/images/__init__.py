"""The images of the node, and what they are built from."""
