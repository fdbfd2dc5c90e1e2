"""Python, the environment in .venv, and the version of the checkout."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cluster.doctor.finding import Finding
from cluster.place import Place

OLDEST = (3, 11)
# The newest version with which the tests of `scripts/check --fast` were run.
NEWEST_TRIED = (3, 14)
CALL_SECONDS = 10.0


def python(place: Place) -> Iterator[Finding]:
    """Check the version of the Python that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    sentence = f"{version} at {sys.executable}"
    if sys.version_info < OLDEST:
        hint = "Install Python 3.11 or newer, or set URUMI_PYTHON to one."
        yield Finding("problem", "Python", f"{sentence} is too old.", hint)
    elif sys.version_info[:2] > NEWEST_TRIED:
        hint = f"Set URUMI_PYTHON to Python {'.'.join(map(str, NEWEST_TRIED))} if something fails."
        yield Finding("note", "Python", f"{sentence} is newer than any that the tests were run with.", hint)
    else:
        yield Finding("ok", "Python", sentence)


def environment(place: Place) -> Iterator[Finding]:
    """Check that .venv runs, or can be made."""
    folder = place.root / ".venv"
    if not folder.exists():
        yield from _can_be_made()
        return
    done = run([folder / "bin" / "python", "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"])
    if isinstance(done, str):
        yield Finding(
            "problem",
            ".venv",
            f"The Python of {folder} does not run: {first_line(done)}",
            "Delete it and run ./setup.sh",
        )
    elif not (folder / "urumi-installed").exists():
        yield Finding("note", ".venv", "The installation was interrupted.", "Run ./setup.sh, which repeats it.")
    elif str(folder / "bin" / "python") not in _text(folder / "bin" / "pip"):
        yield Finding("note", ".venv", "It was made for another folder.", "Run ./setup.sh, which makes it again.")
    else:
        yield Finding("ok", ".venv", f"Python {done.stdout.strip()}")


def checkout(place: Place) -> Iterator[Finding]:
    """Report the commit of the checkout, and check the clock against it."""
    done = run(["git", "-C", place.root, "log", "-1", "--format=%h %cs %ct"])
    if isinstance(done, str):
        yield Finding("note", "commit", f"The commit is unknown: {first_line(done)}", "Name the release that you use.")
        return
    commit, date, seconds = done.stdout.split()
    changed = run(["git", "-C", place.root, "status", "--porcelain"])
    count = 0 if isinstance(changed, str) else len(changed.stdout.splitlines())
    yield Finding("ok", "commit", f"{commit} of {date}" + (f", {count} files changed" if count else ""))
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if time.time() < int(seconds) - 3600:
        sentence = f"This machine's clock says {now}, before the checkout's newest commit."
        yield Finding("problem", "clock", sentence, "Set the clock; certificates are refused while it is wrong.")
    else:
        yield Finding("ok", "clock", now)


def run(
    command: Sequence[str | Path],
    seconds: float = CALL_SECONDS,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str] | str":
    """Run a command; return its result, or what it wrote when it failed."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environ,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not respond within {seconds:.0f} s."
    except OSError as error:
        return f"{command[0]}: {error.strerror}."
    if done.returncode != 0:
        return done.stderr.strip() or done.stdout.strip() or f"{command[0]} ended with {done.returncode}."
    return done


def first_line(text: str) -> str:
    """Return the first line of a text."""
    return text.partition("\n")[0]


def _can_be_made() -> Iterator[Finding]:
    try:
        import ensurepip  # noqa: F401 - Debian ships it separately
        import venv  # noqa: F401
    except ImportError:
        sentence = f"{sys.executable} cannot create environments: its venv package is missing."
        yield Finding("problem", ".venv", sentence, "Install it (Debian, Ubuntu: apt-get install python3-venv).")
        return
    yield Finding("ok", ".venv", "does not exist yet; ./setup.sh makes it")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
