"""The shops of both engines as processes on this machine."""
