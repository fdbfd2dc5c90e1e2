"""Real containers for the tests with `--node`: the platform, its stores, and what fails in them."""
