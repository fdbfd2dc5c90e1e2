"""The widgets of the dashboard; each draws its own lines and knows nothing of the network."""
