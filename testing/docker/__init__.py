"""A Docker engine that belongs to the tests, and what a kind cluster needs in it; no image registry is used."""
