"""What a Store is and how to talk to the platform: names, wire schemas, HTTP and WebSocket client, the command.

Nothing here knows Kubernetes' client, Starlette or Textual: the faces (`tui`, the command) and the server share this
package as their common language.
"""

__version__ = "0.1.0"
