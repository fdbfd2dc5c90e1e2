"""The widgets of the dashboard; each draws its own lines and uses no network."""
