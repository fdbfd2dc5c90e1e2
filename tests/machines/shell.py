"""What the project's shell scripts must not use: it is missing in bash 3.2, in other shells, or in BSD's tools.

macOS has bash 3.2 and BSD's tools, Alpine has busybox. A script here is for /bin/sh and uses what POSIX describes.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Their shell scripts run in images only, with the tools of the image.
OUTSIDE = ("charts/", "testing/node/", "testing/docker/", "cluster/node/", "cluster/kind/", "tests/")

STANDARD = (
    "awk|chmod|chown|cp|cut|date|df|du|env|find|grep|head|id|ls|mkdir|mktemp|mv|ps|rm|sed|sort|tail|touch|tr|uniq|wc"
    "|xargs"
)
LINUX_ONLY = "timeout|setsid|nproc|tac|shuf|numfmt|flock|seq|stdbuf|sha256sum|md5sum"
# A pattern of a line, and what to do instead.
RULES = {
    rf"(?<![\w./-])(?:{STANDARD})\s(?:[^|;&#]*\s)?--[a-z]": "BSD's tools have no long options",
    r"\bsed\s+(?:-\w*\s+)*-\w*[ir]\b": "BSD's sed has no -r, and its -i takes an argument; write to another file",
    r"\bgrep\s+(?:-\w*\s+)*-\w*P\b": "BSD's grep has no -P",
    r"\breadlink\s+-f|\brealpath\b": "use `cd DIR && pwd -P`",
    r"\bdate\s+(?:-\w*\s+)*-d\b|\bdate\b.*%N": "BSD's date has neither -d nor %N",
    r"\bstat\s+-c": "BSD's stat has -f",
    r"\bxargs\s+(?:-\w*\s+)*-\w*[rd]\b": "BSD's xargs has neither -r nor -d",
    r"\bsort\s+(?:-\w*\s+)*-\w*V\b": "older sorts have no -V",
    r"\b(?:head|tail)\s+-[nc]\s*-": "BSD's head has no negative count",
    r"\bfind\b.*\s-(?:printf|readable|executable|empty|regextype)\b": "this predicate of find is GNU's",
    rf"(?:^|[\s;&|(])(?:{LINUX_ONLY})\s": "macOS lacks this program",
    r"\becho\s+-[en]": "use printf",
    r"/dev/tcp/|/proc/": "only bash, or only Linux, has it",
    r"\b(?:mapfile|readarray|declare|local -[An]|coproc)\b|\$\{\w+(?:,,|\^\^|@\w)\}|&>>|\|&": "bash 3.2 lacks it",
    r"\[\[|<<<|(?<!\$)\(\(|<\(|\bfunction\s+\w+\s*\(|\bsource\s|\$'|\bBASH_|\bpipefail\b|\$\{\w+\[": "only bash has it",
}


@dataclass(frozen=True)
class Complaint:
    """A line that breaks a rule."""

    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"line {self.line}: {self.text.strip()!r}: {self.instead}"


def complaints(script: str) -> list[Complaint]:
    """Return what a script uses that not every system has; comments and texts of help do not count."""
    found = []
    for number, line in enumerate(_without_here_documents(script), 1):
        code = "" if line.lstrip().startswith("#") else re.sub(r"\s#\s.*", "", line)
        found += [Complaint(number, line, instead) for rule, instead in RULES.items() if re.search(rule, code)]
    return found


def scripts() -> list[Path]:
    """Return every shell script that runs on the machine of a user or a developer."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [ROOT / name for name in listed.splitlines() if not name.startswith(OUTSIDE)]
    return [path for path in found if path.is_file() and re.match(rb"#!.*\b(?:ba|da|z|k)?sh\b", _first_line(path))]


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline()


def _without_here_documents(script: str) -> list[str]:
    lines, end = [], ""
    for line in script.splitlines():
        if end:
            end = "" if line.strip() == end else end
            lines.append("")
            continue
        start = re.search(r"<<-?\s*['\"]?(\w+)['\"]?", line)
        end = start[1] if start else ""
        lines.append(line)
    return lines
