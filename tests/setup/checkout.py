"""A checkout with a substitute for every external program, so that the decisions of setup.sh can be tested.

PATH has only a POSIX shell, two Unix tools and a Python without packages; the test adds an apt-get or Docker. The
substitutes record their calls. In the checkout's copy of `cluster`, the local cluster is a substitute; the
environment's `urumi` is one too, whose server really serves /readyz.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from testing.script import python_script

SOURCE = Path(__file__).resolve().parents[2]
# bash runs the substitutes.
TOOLS = "bash cat cp dirname env grep head rm sh sleep"
PATIENCE_SECONDS = 60.0
# The Python from which the environment of the tests was created.
BARE_PYTHON = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")

# Take the place of the standard modules, because Python looks into the checkout first.
VENV = """\
import os, shutil, sys

with open(os.environ["CALLS"], "a") as calls:
    print("python3 -m venv", *sys.argv[1:], file=calls)
made = sys.argv[-1]
shutil.rmtree(made, ignore_errors=True)
shutil.copytree(os.environ["STAND_INS"] + "/venv", made)
with open(made + "/bin/pip", "w") as pip:
    print(f"#!{made}/bin/python", file=pip)
"""
ENSUREPIP = """\
import os

if os.environ.get("NO_VENV"):
    raise ImportError("No module named 'ensurepip'")
"""

# The Python of the environment.
VENV_PYTHON = """\
#!/bin/bash
case "$*" in
    "-m pip"*)
        echo "pip ${*: -1}" >>"$CALLS"
        printf '%s\\n' "${PIP_SAYS:-}"
        [ -z "${PIP_HANGS:-}" ] || exec sleep 600
        exit "${PIP_CODE:-0}"
        ;;
    "-m pytest"*) echo "pytest ${*:3}" && exit "${PYTEST_CODE:-0}" ;;
    *) exec "$REAL_PYTHON" "$@" ;;
esac
"""

# cluster/command.py, which starts and stops the local cluster.
COMMAND = """\
import os
import time
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import BuildError, StartError


@dataclass
class Info:
    kubeconfig = Path("/kubeconfig")
    kubectl = Path(os.environ["STAND_INS"], "programs", "kubectl")
    helm = Path(os.environ["STAND_INS"], "programs", "helm")


def record(*words):
    with open(os.environ["CALLS"], "a") as calls:
        print(*words, file=calls)


def ensure_programs(say):
    record("programs")
    if os.environ.get("BUILD_FAILS"):
        raise BuildError(os.environ["BUILD_FAILS"])


def start(say):
    ensure_programs(say)
    record("cluster up")
    if os.environ.get("CLUSTER_HANGS"):
        time.sleep(600)
    if os.environ.get("CLUSTER_FAILS"):
        raise StartError("etcd ended at its start.")
    return Info()


def stop(say, purge):
    record("cluster down" + (" --purge" if purge else ""))


def print_status(repair):
    print("cluster     up", flush=True)
    return 0
"""

URUMI = python_script("""\
import http.server, json, os, sys
from pathlib import Path

state = Path(os.environ["URUMI_STATE_DIR"])
with open(os.environ["CALLS"], "a") as calls:
    print("urumi", *sys.argv[1:], file=calls)
if os.environ.get("SERVER_FAILS"):
    sys.exit("urumi: There is no helm program.")


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ.get("READY_SAYS", "ok").encode()
        self.send_response(200 if body == b"ok" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self):
        return "substitute"

    protocol_version = "HTTP/1.1"


port = int(sys.argv[sys.argv.index("--port") + 1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Ready)
(state / "token").write_text("the-token\\n")
(state / "server.json").write_text(json.dumps({"url": f"http://127.0.0.1:{port}", "pid": os.getpid()}))
server.serve_forever()
""")

KUBECTL = """\
#!/bin/bash
echo "kubectl $*" >>"$CALLS"
case "$*" in
    *"get namespace"*) exit 1 ;;
    *apply*) [ -z "${KUBECTL_FAILS:-}" ] || { echo "no matches for kind" >&2 && exit 1; } ;;
esac
"""


@dataclass(frozen=True)
class Done:
    """The result of a run."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.splitlines()

    @property
    def sentence(self) -> str:
        """The last line of standard error."""
        return self.err.splitlines()[-1]


class Checkout:
    """The project's files that setup.sh reads, in a separate folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.state = folder / "state"
        self.bin = folder / "bin"
        self.stand_ins = folder / "substitutes"
        self.calls_file = folder / "calls"
        self.port = _free_port()
        self._make_files()
        self.environ = {
            "PATH": str(self.bin),
            "HOME": str(folder),
            "CALLS": str(self.calls_file),
            "STAND_INS": str(self.stand_ins),
            "REAL_PYTHON": sys.executable,
            "URUMI_STATE_DIR": str(self.state),
            "URUMI_PORT": str(self.port),
        }

    def _make_files(self) -> None:
        for name in ("urumi", "reconciler", "server", "charts", "crds", "scripts"):
            (self.root / name).mkdir(parents=True)
        (self.root / "server" / "main.py").write_text("VERSION = 1\n")
        (self.root / "pyproject.toml").write_text("[project]\n")
        for name in ("setup.sh", "scripts/check"):
            shutil.copy(SOURCE / name, self.root / name)
        shutil.copytree(SOURCE / "cluster", self.root / "cluster", ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / "cluster" / "command.py").write_text(COMMAND)
        (self.root / "venv.py").write_text(VENV)
        (self.root / "ensurepip.py").write_text(ENSUREPIP)
        self.calls_file.touch()
        for tool in TOOLS.split():
            found = shutil.which(tool)
            if found:
                self.stand_in(tool, found)
        self.stand_in("python3", str(BARE_PYTHON))
        write_program(self.stand_ins / "venv" / "bin" / "python", VENV_PYTHON)
        write_program(self.stand_ins / "venv" / "bin" / "urumi", URUMI)
        write_program(self.stand_ins / "programs" / "kubectl", KUBECTL)

    def stand_in(self, name: str, text_or_path: str) -> None:
        """Put a program on PATH: a script, or a link to a real one."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        if text_or_path.startswith("#!"):
            write_program(path, text_or_path)
        else:
            path.parent.mkdir(exist_ok=True)
            path.symlink_to(text_or_path)

    def without(self, name: str) -> None:
        """Remove a program from PATH."""
        (self.bin / name).unlink(missing_ok=True)

    def run(
        self, *arguments: str, program: str = "setup.sh", interpreter: tuple[str, ...] = (), **environ: str
    ) -> Done:
        """Run setup.sh to its end, in a shell or as a program; there is no terminal."""
        done = subprocess.run(
            [*interpreter, self.root / program, *arguments],
            env={**self.environ, **environ},
            cwd=self.root.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, log: Path) -> "subprocess.Popen[bytes]":
        """Start setup.sh, with its output in a file."""
        with log.open("w") as output:
            return subprocess.Popen(
                [self.root / "setup.sh"],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def interrupt(self, *arguments: str, after: str, **environ: str) -> Done:
        """Run setup.sh as a terminal does, and press ctrl-c after a call of a substitute."""
        with subprocess.Popen(
            [self.root / "setup.sh", *arguments],
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while after not in self.calls_file.read_text() and time.monotonic() < deadline:
                time.sleep(0.02)
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
        return Done(process.returncode, out, err)

    def calls(self, start: str) -> list[str]:
        """Return the calls of the substitute of that name since the last query."""
        found = [line for line in self.calls_file.read_text().splitlines() if line.startswith(start)]
        kept = [line for line in self.calls_file.read_text().splitlines() if not line.startswith(start)]
        self.calls_file.write_text("".join(f"{line}\n" for line in kept))
        return found

    def server_pid(self) -> int:
        """Return the pid that setup.sh recorded."""
        return int((self.state / "server.pid").read_text())

    def end_server(self) -> None:
        """Stop the substitute server, if it is running."""
        try:
            pid = self.server_pid()
            words = Path(f"/proc/{pid}/cmdline").read_text() if Path("/proc").is_dir() else str(self.root)
            if str(self.root) in words:
                os.kill(pid, signal.SIGKILL)
        except (OSError, ValueError):
            return


def write_program(path: Path, text: str) -> None:
    """Write an executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def sentence_of(done: Done) -> str:
    """Return the last message of a failed run, without the name of the script."""
    assert done.code == 1, done
    return re.sub(r"^setup\.sh: ", "", done.sentence)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
