"""runc, asked for no capability that this machine cannot give: `python runtime.py ARGUMENTS OF RUNC`.

`docker run --privileged` asks for all capabilities, and runc fails if the machine's bounding set lacks one, as in some
virtual machines and containers. Only the standard library, because Docker starts it for each container and `exec`.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# In the order of the kernel's numbers.
NAMES = """
    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
    NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
    SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
    MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
"""


def missing_capabilities(status: str = "") -> set[str]:
    """Return the capabilities that no process of this machine can have."""
    status = status or Path("/proc/self/status").read_text()
    bounding = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:")), 16)
    return {f"CAP_{name}" for number, name in enumerate(NAMES.split()) if not bounding >> number & 1}


def without(process: dict[str, Any], missing: set[str]) -> dict[str, Any]:
    """Return a process of the OCI specification without these capabilities."""
    sets = process.get("capabilities") or {}
    left = {name: [each for each in capabilities if each not in missing] for name, capabilities in sets.items()}
    return {**process, "capabilities": left}


def _value_of(arguments: list[str], *options: str) -> Iterator[Path]:
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in options:
            yield Path(value if equals else arguments[index + 1])


def main() -> None:
    """Change the specifications that the arguments name, and become runc."""
    arguments, missing = sys.argv[1:], missing_capabilities()
    for bundle in _value_of(arguments, "--bundle", "-b"):
        file = bundle / "config.json"
        specification = json.loads(file.read_text())
        file.write_text(json.dumps(specification | {"process": without(specification["process"], missing)}))
    if "exec" in arguments:
        for file in _value_of(arguments, "--process", "-p"):
            file.write_text(json.dumps(without(json.loads(file.read_text()), missing)))
    runc = shutil.which("runc", path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")
    if runc is None:
        sys.exit("runc not found. Run apt-get install runc")
    os.execv(runc, [runc, *arguments])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
