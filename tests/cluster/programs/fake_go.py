"""A substitute for the go command and for a module to build, controlled by files in a folder."""

import json
from dataclasses import dataclass
from pathlib import Path

from testing.script import python_script

GO_MOD = """\
module example.com/toy

go 1.26.0

tool (
	example.com/one/cmd/alpha
	example.com/two/v4/cmd/beta
)

require (
	example.com/one v1.2.3
	example.com/two/v4 v4.5.6 // indirect
)
"""

SCRIPT = """\
import json, os, pathlib, sys, time

folder = pathlib.Path({folder!r})
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")


def setting(name):
    path = folder / name
    return path.read_text() if path.exists() else ""


action = sys.argv[1]
if sys.argv[1:3] == ["version", "-m"]:
    print(setting("recorded"))
elif action == "version":
    print(f"go version go{{setting('version') or '1.26.0'}} linux/amd64")
elif action == "env":
    print(folder / "gocache", folder / "gomodcache", sep="\\n")
elif action == "list":
    for package in sys.argv[sys.argv.index("-deps") + 1 :]:
        if package.startswith(("-f", "{{{{")):
            continue
        print(package, folder, "", "calls", sep="\\t")
elif action == "build" and "-o" in sys.argv:
    target = pathlib.Path(sys.argv[sys.argv.index("-o") + 1])
    for package in sys.argv[sys.argv.index("-o") + 2 :]:
        name = package.rpartition("/")[2]
        print(package, file=sys.stderr, flush=True)
        if setting("hold") == name:
            (folder / "held").write_text(str(os.getpid()))
            while setting("hold") == name:
                time.sleep(0.02)
        if setting("fail"):
            sys.exit(setting("fail"))
        program = target / name
        program.write_text(setting("program") or f"#!/bin/sh\\necho {{name}} is 1.2.3 or 4.5.6\\n")
        program.chmod(0o755)
"""


@dataclass(frozen=True, slots=True)
class FakeGo:
    """The substitute: `bin` belongs on PATH, `module` is built into `cache`."""

    folder: Path

    @property
    def bin(self) -> Path:
        """The folder for PATH."""
        return self.folder / "bin"

    @property
    def module(self) -> Path:
        """The module to build."""
        return self.folder / "module"

    @property
    def cache(self) -> Path:
        """The cache."""
        return self.folder / "cache"

    def make(self) -> None:
        """Write the command and the module."""
        for folder in (self.bin, self.module, self.cache):
            folder.mkdir(parents=True)
        (self.module / "go.mod").write_text(GO_MOD)
        (self.module / "go.sum").write_text("")
        command = self.bin / "go"
        command.write_text(python_script(SCRIPT.format(folder=str(self.folder))))
        command.chmod(0o755)

    def configure(self, name: str, text: str) -> None:
        """Set its behaviour: version, fail, program, hold, recorded."""
        (self.folder / name).write_text(text)

    def reset(self, name: str) -> None:
        """Reset a behaviour."""
        (self.folder / name).unlink()

    def calls(self) -> list[list[str]]:
        """The arguments of each call, in order."""
        calls = self.folder / "calls"
        return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []

    def built(self) -> list[str]:
        """The names of the programs that it has built, in order."""
        builds = [call for call in self.calls() if call[0] == "build" and "-o" in call]
        return [package.rpartition("/")[2] for call in builds for package in call[call.index("-o") + 2 :]]
