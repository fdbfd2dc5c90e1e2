"""What waits for a worker: the work queue and the concurrency limiter."""
