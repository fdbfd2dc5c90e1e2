"""What a store is, without I/O: desired values, isolation, health, hints, conditions, status, timeline, inventory."""
