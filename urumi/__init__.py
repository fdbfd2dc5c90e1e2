"""What a Store is and how to talk to the platform: names, wire models, HTTP and WebSocket client, the command line.

The server, the reconciler and the dashboard share this package. It imports neither a Kubernetes client nor Starlette
nor Textual.
"""

__version__ = "0.1.0"
