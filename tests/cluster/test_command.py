"""`python -m cluster`: its output and its exit codes."""

import json

import pytest

from cluster.command import command
from cluster.local.cluster import ClusterState
from tests.cluster.running import Shell


def test_the_life_of_a_cluster_from_the_command_line(shell: Shell) -> None:
    code, output, narration = shell.run("status")
    assert (code, output.splitlines()[0].split(), narration) == (3, ["cluster", "down"], "")

    # Two at the same time: one starts it, the other waits and finds it up.
    first, second = shell.spawn("up"), shell.spawn("up")
    with first, second:
        results = [process.communicate(timeout=120) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0]
    kubeconfig = shell.state_dir / "kubeconfig"
    assert [output for output, _ in results] == [f"{kubeconfig}\n"] * 2
    narrations = [narration for _, narration in results]
    assert sum("Starting etcd." in words for words in narrations) == 1
    assert sum("The cluster is already up." in words for words in narrations) == 1
    assert sum("Waiting for another command that changes the cluster." in words for words in narrations) == 1

    code, output, _ = shell.run("status", "--json")
    status = json.loads(output)
    assert (code, status["state"], status["problems"]) == (0, ClusterState.UP, [])
    assert status["kubeconfig"] == str(kubeconfig)
    assert all(item["pid"] for item in status["components"])

    code, output, narration = shell.run("down")
    assert (code, output) == (0, "")
    assert "Its data is kept" in narration
    assert shell.run("status")[0] == 3
    code, _, narration = shell.run("down", "--purge")
    assert (code, "The cluster is not running." in narration) == (0, True)
    assert not shell.state_dir.exists()


@pytest.mark.parametrize(
    "arguments", [(), ("sideways",), ("up", "--nodes", "0"), ("up", "--nodes", "many")], ids=" ".join
)
def test_invalid_usage_exits_with_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    code, output, narration = shell.run(*arguments)
    assert (code, output) == (2, "")
    assert "usage:" in narration


def test_a_failure_is_one_sentence_and_exits_with_1(shell: Shell) -> None:
    shell.state_dir.mkdir(parents=True)
    (shell.state_dir / "etcd").write_text("not a folder")
    code, output, narration = shell.run("up")
    assert (code, output) == (1, "")
    assert "error: etcd exited during startup" in narration
    assert "Traceback" not in narration


def test_the_command_has_one_line_of_help() -> None:
    assert command.help
    assert "\n" not in command.help
