"""The live feed: the hub, the WebSocket endpoint, and the connection below it."""
