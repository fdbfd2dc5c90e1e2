"""setup.sh as users run it: what it starts, repeats and skips, and its messages when it fails.

Its parts have their tests in tests/cluster.
"""

import os
import platform
import shutil
import socket
import urllib.request
from pathlib import Path

import pytest

from cluster.lock import file_lock
from testing.kubectl import wait_for
from tests.setup.checkout import SOURCE, Checkout, sentence_of

GO = '#!/bin/sh\n[ "$1" = version ] && echo go version go1.99.0 linux/amd64\necho "go $*" >>"$CALLS"\n'
OLD_PYTHON = '#!/bin/bash\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n'


def last_lines(checkout: Checkout) -> list[str]:
    """Return the last lines of a successful run."""
    return [
        f"Urumi:  http://127.0.0.1:{checkout.port}/",
        "Token:  the-token",
        f"        (from {checkout.state}/token)",
        "Next:   .venv/bin/urumi-tui",
        "        .venv/bin/urumi create shop-1 --engine woocommerce --wait",
    ]


def test_the_first_run_ends_with_a_url_a_token_and_the_next_commands(checkout: Checkout) -> None:
    done = checkout.run()
    assert (done.code, done.err) == (0, "")
    assert done.lines[-6:-1] == last_lines(checkout)
    # Whether a node can run here depends on the machine.
    assert done.lines[-1].startswith("Note:   containers are simulated")
    assert "./setup.sh --cluster node" in done.lines[-1]
    assert [line for line in done.lines if line.startswith("[")] == [
        "[1/4] Python environment in .venv: about a minute the first time, a second later.",
        "[2/4] Kubernetes: its programs are fetched or built the first time, 5 to 20 seconds later.",
        "[3/4] The Store definition: a second or two.",
        "[4/4] The server: about 3 seconds.",
    ]
    with urllib.request.urlopen(f"http://127.0.0.1:{checkout.port}/readyz", timeout=5) as answer:
        assert answer.status == 200
    assert checkout.calls("urumi serve") == [
        f"urumi serve --host 127.0.0.1 --port {checkout.port} --kubeconfig /kubeconfig"
        f" --helm {checkout.stand_ins}/programs/helm"
    ]
    assert checkout.calls("kubectl") == [
        "kubectl --kubeconfig /kubeconfig apply -f crds/stores.yaml",
        "kubectl --kubeconfig /kubeconfig wait --for=condition=Established --timeout=60s -f crds/stores.yaml",
        "kubectl --kubeconfig /kubeconfig get namespace store-platform",
        "kubectl --kubeconfig /kubeconfig create namespace store-platform",
    ]


@pytest.mark.parametrize("has_docker", [False, True])
def test_go_modules_are_downloaded_beside_pip_unless_docker_is_there(checkout: Checkout, has_docker: bool) -> None:
    checkout.stand_in("go", GO)
    if has_docker:
        checkout.stand_in("docker", "#!/bin/sh\nexit 1\n")
    # Another target than kind, which Docker's substitute could not run.
    checkout.run("--cluster", "local")
    if has_docker:
        assert checkout.calls("go list") == []
    else:
        assert "kube-apiserver" in wait_for(lambda: checkout.calls("go list"), "the download")[0]


def test_its_files_are_readable_by_the_user_only(checkout: Checkout) -> None:
    checkout.run()
    assert checkout.state.stat().st_mode & 0o077 == 0
    assert (checkout.state / "server.log").stat().st_mode & 0o077 == 0


def test_the_second_run_installs_and_starts_nothing(checkout: Checkout) -> None:
    checkout.run()
    pid = checkout.server_pid()
    assert len(checkout.calls("pip")) == len(checkout.calls("urumi serve")) == 1
    done = checkout.run()
    assert done.code == 0
    assert "      The server is already running." in done.lines
    assert done.lines[-6:-1] == last_lines(checkout)
    assert checkout.server_pid() == pid
    assert checkout.calls("pip") == checkout.calls("urumi serve") == []


def test_new_code_restarts_the_server(checkout: Checkout) -> None:
    checkout.run()
    pid = checkout.server_pid()
    (checkout.root / "server" / "main.py").write_text("VERSION = 2\n")
    assert checkout.run().code == 0
    assert checkout.server_pid() != pid


def test_a_killed_server_is_restarted(checkout: Checkout) -> None:
    checkout.run()
    checkout.end_server()
    done = checkout.run()
    assert done.code == 0
    assert done.lines[-6:-1] == last_lines(checkout)


def test_another_port_moves_the_server_and_is_kept(checkout: Checkout) -> None:
    checkout.run()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    moved = checkout.run(URUMI_PORT=str(port))
    kept = checkout.run(URUMI_PORT="")
    assert f"Urumi:  http://127.0.0.1:{port}/" in moved.lines
    assert f"Urumi:  http://127.0.0.1:{port}/" in kept.lines
    assert "      The server is already running." in kept.lines


def test_a_token_from_the_environment_is_reported_as_such(checkout: Checkout) -> None:
    lines = checkout.run(URUMI_TOKEN="mine").lines
    assert lines[-5:-3] == ["Token:  mine", "        (from the variable URUMI_TOKEN)"]


def test_a_path_with_spaces_and_another_folder_as_the_current_one(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "my shops")
    try:
        assert checkout.run(CDPATH=str(tmp_path)).code == 0
        assert checkout.run("status").lines[0].startswith("server                   running at")
    finally:
        checkout.end_server()


def test_a_link_in_another_folder_runs_it(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "absolute").symlink_to(checkout.root / "setup.sh")
    link = tmp_path / "urumi up"
    link.symlink_to(Path("links", "absolute"))
    checkout.stand_in("readlink", shutil.which("readlink") or "")
    done = checkout.run("help", program=str(link))
    assert (done.code, done.err) == (0, "")


def test_runs_at_the_same_time_wait_for_each_other_and_start_one_server(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run("dev")
    logs = [tmp_path / "first", tmp_path / "second"]
    waiting = f"      Waiting for another ./setup.sh that uses {checkout.state}."
    with file_lock(checkout.state / "setup.lock"):
        runs = [checkout.start(log) for log in logs]
        wait_for(lambda: all(waiting in log.read_text() for log in logs), "both runs to wait")
    assert [run.wait(timeout=60) for run in runs] == [0, 0], [log.read_text() for log in logs]
    assert len(checkout.calls("urumi serve")) == 1
    assert sum("The server is already running." in log.read_text() for log in logs) == 1


def test_values_for_another_cluster_than_current_are_refused(checkout: Checkout) -> None:
    done = checkout.run("--values", "mine.yaml")
    assert sentence_of(done) == (
        "--values is for the cluster current, and this run is for local. Remove it, or add --cluster current."
    )


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_any_shell_runs_it(checkout: Checkout, shell: str) -> None:
    assert checkout.run("dev", interpreter=(shell,)).code == 0


def test_a_python_outside_of_path_is_used_again_for_the_next_command(checkout: Checkout) -> None:
    (checkout.bin / "python3").rename(checkout.root / "my python")
    assert checkout.run(URUMI_PYTHON=str(checkout.root / "my python")).code == 0
    assert checkout.run("status").code == 0


# --- Errors


def test_without_python_the_required_version_is_reported(checkout: Checkout) -> None:
    checkout.without("python3")
    assert sentence_of(checkout.run()) == (
        "Urumi needs Python 3.11 or newer; found no python3 on PATH."
        " Install it (Debian, Ubuntu: apt-get install python3 python3-venv) and run this again."
    )


def test_an_old_python_is_named(checkout: Checkout) -> None:
    checkout.stand_in("python3", OLD_PYTHON)
    assert f"found only Python 3.9.2 at {checkout.bin}/python3." in sentence_of(checkout.run())


def test_a_newer_python_beside_an_old_one_is_used(checkout: Checkout) -> None:
    (checkout.bin / "python3").rename(checkout.bin / "python3.12")
    checkout.stand_in("python3", OLD_PYTHON)
    assert checkout.run("dev").code == 0


def test_a_missing_venv_package_is_reported_in_one_sentence(checkout: Checkout) -> None:
    done = checkout.run(NO_VENV="1")
    assert sentence_of(done) == (
        f"{checkout.bin}/python3 cannot create environments: its venv package is missing."
        " Install it (Debian, Ubuntu: apt-get install python3-venv) and run this again."
    )
    assert len(done.err.splitlines()) == 1


def test_a_state_folder_that_cannot_be_written_is_named_before_anything_is_installed(checkout: Checkout) -> None:
    (checkout.root / "file").touch()
    done = checkout.run(URUMI_STATE_DIR=str(checkout.root / "file" / "state"))
    assert done.code == 1
    assert "URUMI_STATE_DIR" in done.sentence
    assert not (checkout.root / ".venv").exists()


def test_a_taken_port_is_reported_before_anything_is_built(checkout: Checkout) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", checkout.port))
        other.listen()
        done = checkout.run()
    assert sentence_of(done) == (
        f"Port {checkout.port} of 127.0.0.1 is in use by another program."
        f" Choose another: URUMI_PORT={checkout.port + 1} ./setup.sh"
    )
    assert checkout.calls("cluster up") == []


def test_a_failed_build_ends_the_run(checkout: Checkout) -> None:
    assert sentence_of(checkout.run(BUILD_FAILS="Building etcd failed.")) == "Building etcd failed."
    assert checkout.calls("cluster up") == []


def test_a_cluster_that_does_not_start_ends_the_run(checkout: Checkout) -> None:
    done = checkout.run(CLUSTER_FAILS="yes")
    assert (done.code, done.err) == (1, "setup.sh: etcd ended at its start.\n")
    assert checkout.calls("kubectl") == []


def test_a_refused_store_definition_ends_the_run(checkout: Checkout) -> None:
    done = checkout.run(KUBECTL_FAILS="yes")
    assert "no matches for kind" in done.err
    assert sentence_of(done).startswith("The Store definition or the namespace store-platform could not be applied")
    assert checkout.calls("urumi serve") == []


def test_an_obstacle_ends_the_run_before_anything_is_created(checkout: Checkout) -> None:
    done = checkout.run("--cluster", "kind")
    assert done.code == 1
    assert "./setup.sh --cluster local" in done.sentence
    assert not (checkout.state / "where").exists()


def test_a_docker_without_an_engine_leads_to_the_local_cluster_and_the_reason(checkout: Checkout) -> None:
    checkout.stand_in("docker", "#!/bin/bash\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    done = checkout.run()
    assert done.code == 0
    assert any(line.startswith("      Docker") for line in done.lines)
    assert checkout.calls("cluster up") == ["cluster up"]


def test_the_cluster_can_be_changed_only_while_nothing_runs(checkout: Checkout) -> None:
    checkout.run()
    words = sentence_of(checkout.run("--cluster", "current"))
    assert words == "Urumi runs on the local cluster. Stop it first (./setup.sh down), then run this again."
    assert checkout.run("--cluster", "local").code == 0


# --- Ctrl-c


@pytest.mark.parametrize(
    ("after", "environ"),
    [
        ("pip .", {"PIP_HANGS": "yes"}),
        ("cluster up", {"CLUSTER_HANGS": "yes"}),
        ("urumi serve", {"READY_SAYS": "stores are not listed yet"}),
    ],
    ids=["environment", "cluster", "server"],
)
def test_after_ctrl_c_the_next_run_continues(checkout: Checkout, after: str, environ: dict[str, str]) -> None:
    done = checkout.interrupt(after=after, **environ)
    assert done.code == 130
    assert done.err == ("setup.sh: Interrupted. Run the same command again: it continues where this one stopped.\n")
    again = checkout.run()
    assert (again.code, again.lines[-6:-1]) == (0, last_lines(checkout))
    assert checkout.run("down").lines[0] == "Server stopped."


# --- down and status


def test_down_stops_server_and_cluster_and_keeps_the_data(checkout: Checkout) -> None:
    checkout.run()
    done = checkout.run("down")
    assert (done.code, done.lines[0]) == (0, "Server stopped.")
    assert checkout.calls("cluster down") == ["cluster down"]
    assert (checkout.state / "token").exists()
    assert not (checkout.state / "server.pid").exists()
    assert checkout.run("down").lines[0] == "The server is not running."


def test_down_with_purge_deletes_everything(checkout: Checkout) -> None:
    checkout.run()
    assert checkout.run("down", "--purge").code == 0
    assert checkout.calls("cluster down") == ["cluster down --purge"]
    assert not checkout.state.exists()


def test_down_without_an_environment_reports_it(checkout: Checkout) -> None:
    done = checkout.run("down")
    assert done.code == 0
    assert done.out.startswith("There is no environment in .venv")


def test_status_reports_the_cluster_and_the_server(checkout: Checkout) -> None:
    assert (checkout.run("status").code, checkout.run("status").out) == (
        3,
        "server                   not set up; run ./setup.sh\n",
    )
    checkout.run()
    done = checkout.run("status")
    assert done.code == 0
    assert done.lines[0].startswith(
        f"server                   running at http://127.0.0.1:{checkout.port}/, pid {checkout.server_pid()}"
    )
    assert done.lines[1] == "cluster     up"
    checkout.end_server()
    done = checkout.run("status")
    assert (done.code, done.lines[0]) == (3, "server                   not running")
    assert done.lines[-1] == "next                     ./setup.sh"


def test_the_doctor_needs_no_environment(checkout: Checkout) -> None:
    # No test depends on the network.
    done = checkout.run("doctor", HTTPS_PROXY="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9")
    assert done.err == ""
    *lines, empty, summary = done.lines
    assert {line.split()[0] for line in lines if not line.startswith(" ")} <= {"ok", "note", "problem"}
    assert empty == ""
    assert summary.startswith(("No problems.", "Problems: "))
    assert "ok      .venv            does not exist yet; ./setup.sh makes it" in done.lines
    assert f"ok      Python           {platform.python_version()} at {checkout.bin}/python3" in done.lines
    assert "The check failed" not in done.out


# --- Usage


def test_an_unknown_argument_is_refused(checkout: Checkout) -> None:
    done = checkout.run("splendid")
    assert (done.code, done.out) == (2, "")
    assert done.err == "setup.sh: unexpected argument: splendid. Run ./setup.sh help for the commands.\n"
    assert checkout.calls("") == []


@pytest.mark.parametrize("word", ["help", "--help", "-h"])
def test_help_names_every_command(checkout: Checkout, word: str) -> None:
    done = checkout.run(word)
    assert done.code == 0
    for command in (
        "status",
        "down [--purge]",
        "doctor",
        "test --all",
        "test --node",
        "test --docker",
        "test ARGS...",
        "dev",
        "--cluster kind",
        "--cluster node",
        "--yes",
        "URUMI_PORT",
        "URUMI_STATE_DIR",
    ):
        assert command in done.out


def test_scripts_are_executable() -> None:
    for name in ("setup.sh", "scripts/check", ".ci/run"):
        assert os.access(Path(SOURCE, name), os.X_OK), name
