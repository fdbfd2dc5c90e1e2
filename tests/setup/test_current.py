"""./setup.sh --cluster current: no cluster is changed before it was shown and confirmed.

What it says of the cluster and of the release is covered by tests/cluster/platform.
"""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.setup.checkout import SOURCE, Checkout, Done, sentence_of

KUBECTL = """\
#!/bin/bash
echo "kubectl $*" >>"$CALLS"
case "$*" in
    *current-context*) [ -n "$CONTEXT" ] && echo "$CONTEXT" ;;
    *cluster.server*) echo https://api.example.com:6443 ;;
    *"get ingress urumi"*) echo urumi.example.com ;;
esac
"""
HELM = """\
#!/bin/bash
[ "$1" != version ] || { echo v4.2.3 && exit; }
echo "helm $*" >>"$CALLS"
"""
# The subcommands that change a cluster.
CHANGES = (" apply ", " create ", " delete ", " upgrade ", " patch ", " label ")


@pytest.fixture
def current(checkout: Checkout) -> Checkout:
    """A machine whose kubectl points to a cluster."""
    checkout.stand_in("kubectl", KUBECTL)
    checkout.stand_in("helm", HELM)
    checkout.environ["CONTEXT"] = "prod-eu"
    (checkout.root / "my.yaml").touch()
    return checkout


def changes(checkout: Checkout) -> list[str]:
    """Return every call that changes the cluster."""
    return [line for line in checkout.calls_file.read_text().splitlines() if any(word in line for word in CHANGES)]


def answer(checkout: Checkout, words: str) -> Done:
    """Run setup.sh with a terminal as standard input, and type an answer."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{words}\n".encode())
    try:
        done = subprocess.run(
            [checkout.bin / "bash", checkout.root / "setup.sh", "--cluster", "current"],
            env=checkout.environ,
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    return Done(done.returncode, done.stdout, done.stderr)


def test_without_a_terminal_nothing_is_changed(current: Checkout) -> None:
    done = current.run("--cluster", "current")

    assert "and stdin is not a terminal. Check the lines above, then pass --yes" in sentence_of(done)
    for words in ("context     prod-eu", "server      https://api.example.com:6443", "namespace   store-platform"):
        assert f"      {words}" in done.lines
    assert changes(current) == []


def test_any_answer_other_than_yes_changes_nothing(current: Checkout) -> None:
    done = answer(current, "y")

    assert sentence_of(done) == "Nothing was changed."
    assert changes(current) == []


def test_yes_installs_on_the_context_that_was_shown(current: Checkout) -> None:
    done = answer(current, "yes")

    assert done.code == 0, done.err
    assert "Urumi:  https://urumi.example.com/" in done.lines
    made = changes(current)
    assert made
    assert all("--context prod-eu" in line or "--kube-context prod-eu" in line for line in made)


def test_own_values_override_those_for_production(current: Checkout) -> None:
    done = current.run("--cluster", "current", "--yes", "--values", "my.yaml")

    assert done.code == 0, done.err
    [upgrade] = [line for line in current.calls("helm") if "upgrade" in line]
    assert upgrade.endswith("--values charts/platform/values-prod.yaml --values my.yaml")


def test_down_changes_nothing_and_prints_the_command(current: Checkout) -> None:
    current.run("--cluster", "current", "--yes")
    current.calls_file.write_text("")
    done = current.run("down")
    assert done.code == 0
    assert "  helm --kube-context prod-eu -n store-platform uninstall urumi" in done.lines
    assert changes(current) == []


def test_the_values_for_production_are_in_the_checkout() -> None:
    assert Path(SOURCE, "charts", "platform", "values-prod.yaml").is_file()
