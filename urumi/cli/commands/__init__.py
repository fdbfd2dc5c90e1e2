"""One module per command, named like it: `run(args)` returns the exit code and may be a coroutine function."""
