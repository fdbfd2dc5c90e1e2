"""What the dashboard writes: values, lines and messages about a store or the connection, without any widget."""
