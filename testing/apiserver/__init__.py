"""An in-process double of the API server, for the unit tests of steps only."""
