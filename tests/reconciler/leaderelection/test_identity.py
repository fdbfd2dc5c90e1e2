"""Whether the holder of a lease is provably dead: only a process of this machine that has ended is."""

import os
import subprocess
import sys

import pytest

from reconciler.leaderelection.identity import START_TOLERANCE_TICKS, is_dead, new_identity

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a boot id and pid namespaces")


def identity_of_another() -> tuple[str, subprocess.Popen[bytes]]:
    """Return the identity of a running process, and the process."""
    code = (
        "import sys; from reconciler.leaderelection.identity import new_identity;"
        "print(new_identity(), flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process.stdout.readline().decode().strip(), process


def test_a_running_process_is_not_dead_and_a_killed_one_is() -> None:
    identity, process = identity_of_another()
    with process:
        assert not is_dead(identity)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(identity), "a zombie has ended"
        process.wait()
        assert is_dead(identity)


def test_this_process_is_not_dead() -> None:
    assert not is_dead(new_identity())


def test_a_later_process_with_the_same_pid_is_another_process() -> None:
    host, pid, started, space, tail = new_identity().split("_")
    assert pid == str(os.getpid())
    assert is_dead("_".join([host, pid, str(int(started) - START_TOLERANCE_TICKS - 100), space, tail]))


def test_an_adjustment_of_the_clock_makes_no_process_dead() -> None:
    host, pid, started, space, tail = new_identity().split("_")
    assert not is_dead("_".join([host, pid, str(int(started) - START_TOLERANCE_TICKS + 100), space, tail]))


@pytest.mark.parametrize("part", [0, 3])
def test_a_process_of_another_machine_or_container_is_never_dead(part: int) -> None:
    parts = new_identity().split("_")
    parts[1], parts[part] = "999999", "another"
    assert not is_dead("_".join(parts))


@pytest.mark.parametrize("identity", ["somebody-else", "", "a_b_c_d_e"])
def test_other_identities_are_never_dead(identity: str) -> None:
    assert not is_dead(identity)


def test_a_process_without_a_known_start_is_never_dead() -> None:
    host, _, _, space, tail = new_identity().split("_")
    assert not is_dead("_".join([host, "999999", "", space, tail]))
