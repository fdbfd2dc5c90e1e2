"""The work queue and the concurrency limiter."""
