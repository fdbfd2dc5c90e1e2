"""What the tests run against: real clusters and nodes, and doubles for the unit tests of steps."""
