"""How a person starts a command: the command line, the palette, the queue of keys; and why a command is unavailable."""
