"""What goes wrong with the Docker engine of the tests."""


class DockerError(Exception):
    """The engine cannot run here, did not start, or a command in it failed."""
