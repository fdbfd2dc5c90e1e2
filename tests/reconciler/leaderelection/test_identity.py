"""Whether the holder of a lease is provably dead: only ever yes for a process of this machine that is gone."""

import os
import subprocess
import sys

import pytest

from reconciler.leaderelection.identity import is_dead, new_identity

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process was started")


def identity_of_another() -> tuple[str, subprocess.Popen[bytes]]:
    """Return the identity of a process that lives, and the process."""
    code = (
        "import sys; from reconciler.leaderelection.identity import new_identity;"
        "print(new_identity(), flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process.stdout.readline().decode().strip(), process


def test_a_living_process_is_not_dead_and_a_killed_one_is() -> None:
    identity, process = identity_of_another()
    with process:
        assert not is_dead(identity)
        process.kill()
        process.wait()
        assert is_dead(identity)


def test_this_process_is_not_dead() -> None:
    assert not is_dead(new_identity())


def test_a_pid_that_is_used_again_is_not_the_process_that_had_it() -> None:
    host, pid, started, space, tail = new_identity().split("_")
    assert pid == str(os.getpid())
    assert is_dead("_".join([host, pid, str(int(started) - 1), space, tail]))


@pytest.mark.parametrize("part", [0, 3])
def test_nothing_is_known_of_another_machine_or_container(part: int) -> None:
    parts = new_identity().split("_")
    parts[1], parts[part] = "999999", "another"
    assert not is_dead("_".join(parts))


def test_foreign_words_are_not_dead() -> None:
    assert not is_dead("somebody-else")
    assert not is_dead("")
