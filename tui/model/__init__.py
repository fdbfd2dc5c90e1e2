"""The state of the dashboard, with no widget in sight: session, rows, filter, settings."""
