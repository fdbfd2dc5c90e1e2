"""One module for each command, named like it; `run(args)` returns the exit code."""
