"""The live feed: hub, one WebSocket, and the connection under it."""
