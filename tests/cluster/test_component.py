"""A background process: found again, distinguished from others, stopped reliably; and its log."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.folders import StateFolder
from cluster.local import component as component_module
from cluster.local.component import Component, Launch, is_alive, stop_all
from testing.kubectl import wait_for

SLEEP = "import time; print('here', flush=True); time.sleep(300)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


@pytest.fixture
def component(tmp_path: Path) -> Iterator[Component]:
    """A component that is not started; it is stopped after the test."""
    folder = StateFolder(tmp_path)
    folder.make()
    component = Component("worker", folder)
    yield component
    stop_all([component], grace_seconds=0)


def launch(component: Component, code: str = SLEEP, digest: str = "1") -> Launch:
    """How to run some Python; like a component, its command line names its own file."""
    return Launch((sys.executable, "-c", code, str(component.log)), digest)


def running(component: Component) -> int:
    """The pid of a component that runs."""
    pid = component.pid()
    assert pid is not None
    return pid


def test_a_started_component_is_found_again(component: Component, tmp_path: Path) -> None:
    component.start(launch(component))
    assert Component("worker", StateFolder(tmp_path)).pid() == running(component)
    assert component.runs(launch(component))


def test_a_component_is_not_a_child_and_has_its_own_session(component: Component) -> None:
    component.start(launch(component))
    pid = running(component)
    assert os.getsid(pid) != os.getsid(0)
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


@pytest.mark.parametrize("change", ["command line", "inputs"])
def test_a_component_with_another_command_is_recognized_as_changed(component: Component, change: str) -> None:
    component.start(launch(component))
    other = launch(component, f"{SLEEP} # new") if change == "command line" else launch(component, digest="2")
    assert not component.runs(other)
    assert component.pid() is not None


def test_a_pid_that_now_belongs_to_another_process_is_left_alone(component: Component, tmp_path: Path) -> None:
    component.start(launch(component))
    os.kill(running(component), signal.SIGKILL)
    wait_for(lambda: component.pid() is None, "the component to end")
    with subprocess.Popen([sys.executable, "-c", SLEEP, "somebody else's"], stdout=subprocess.PIPE) as stranger:
        # Before its first output it may still be in exec, and have no command line.
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == b"here\n"
        (tmp_path / "run" / "worker.pid").write_text(f"{stranger.pid}\n")
        assert component.pid() is None
        stop_all([component], grace_seconds=0)
        assert stranger.poll() is None
        stranger.kill()


def test_a_component_that_ignores_sigterm_is_killed(component: Component) -> None:
    component.start(launch(component, STUBBORN))
    wait_for(lambda: "here" in component.log_tail(), "the component to ignore SIGTERM")
    pid = running(component)
    stop_all([component], grace_seconds=0.1)
    assert component.pid() is None
    assert not is_alive(pid)


def test_the_error_of_a_component_that_exited_quotes_its_log(component: Component) -> None:
    component.start(launch(component, "import sys; sys.exit('no such flag')"))
    wait_for(lambda: component.pid() is None, "the component to end")
    failure = component.failure("exited during startup")
    assert "worker exited during startup" in failure.message
    assert "no such flag" in failure.message
    assert str(component.log) in failure.hint


def test_a_large_log_is_rotated_at_the_next_start(component: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(component_module, "MAX_LOG_BYTES", 100)
    component.log.write_text("x" * 101)
    component.start(launch(component))
    wait_for(lambda: component.log_tail() == "here", "a new log")
    assert component.log.with_suffix(".log.1").read_text() == "x" * 101
    assert component.log.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(
    not Path("/proc/2/comm").exists() or Path("/proc/2/comm").read_text() != "kthreadd\n",
    reason="pid 2 is not the parent of the kernel threads here",
)
def test_a_kernel_thread_is_not_a_component() -> None:
    assert not is_alive(2)
