"""The platform that programs are made for, in Go's words: `linux/amd64`, `darwin/arm64`."""

import platform
import sys

ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def this_platform() -> str:
    """Return this machine's platform; a processor without a name in Go keeps the kernel's."""
    machine = platform.machine().lower()
    return f"{sys.platform}/{ARCHITECTURES.get(machine, machine)}"
