"""The parts that every HTTP call shares: client address, request parsing, problems, conditional GET, middleware."""
