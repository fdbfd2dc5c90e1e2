"""A Medusa shop from the sources of its image."""
