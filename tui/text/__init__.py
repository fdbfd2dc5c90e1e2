"""Values as text for the dashboard: columns, details, timeline, connection state, glyphs."""
