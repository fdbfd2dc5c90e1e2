"""The state of the dashboard, without widgets and texts: session, rows, filter, order, settings, keymap."""
