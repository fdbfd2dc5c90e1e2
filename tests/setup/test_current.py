"""./setup.sh --cluster current: no cluster is changed before it was shown and confirmed."""

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
    *"--raw /readyz"*) exit "${API_CODE:-0}" ;;
    *"get storageclass"*) echo "${CLASSES:-}" ;;
    *"get ingressclass"*) echo ingressclass/traefik ;;
    *"get ingress urumi"*) echo urumi.example.com ;;
    *"get secret"*) exit "${TOKEN_CODE:-1}" ;;
    *"create secret"*) cat >/dev/null ;;
esac
"""
HELM = """\
#!/bin/bash
[ "$1" != version ] || { echo v4.2.4 && exit; }
echo "helm $*" >>"$CALLS"
case "$*" in
    *" list "*) printf '%s' "${RELEASE:-}" ;;
    *" template "*) echo "${OBJECTS:-}" && exit "${TEMPLATE_CODE:-0}" ;;
esac
"""
# The subcommands that change a cluster.
CHANGES = (" apply ", " create ", " delete ", " upgrade ", " patch ", " label ")


@pytest.fixture
def current(checkout: Checkout) -> Checkout:
    """A machine whose kubectl points to a cluster."""
    checkout.stand_in("kubectl", KUBECTL)
    checkout.stand_in("helm", HELM)
    checkout.environ |= {"CONTEXT": "prod-eu", "CLASSES": '{"storageclass.kubernetes.io/is-default-class":"true"}'}
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


def test_an_existing_installation_is_shown(current: Checkout) -> None:
    current.environ["RELEASE"] = "urumi\tstore-platform\t7\t2026-11-25\tdeployed\tplatform-0.1.0\t0.1.0\n"
    done = current.run("--cluster", "current")
    assert "      release     urumi store-platform 7 2026-11-25 deployed platform-0.1.0 0.1.0" in done.lines


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"CONTEXT": ""}, "kubectl has no current context."),
        ({"API_CODE": "1"}, "The API server https://api.example.com:6443 of the context prod-eu does not respond"),
        ({"TEMPLATE_CODE": "1"}, "The values do not fit the chart: see Helm's message above."),
    ],
)
def test_a_failed_check_ends_the_run_before_anything_is_changed(
    current: Checkout, environ: dict[str, str], words: str
) -> None:
    assert sentence_of(current.run("--cluster", "current", "--yes", **environ)).startswith(words)
    assert changes(current) == []


def test_a_missing_values_file_is_named(current: Checkout) -> None:
    words = sentence_of(current.run("--cluster", "current", "--yes", "--values", "other.yaml"))
    assert words == "Values file not found: other.yaml."


def test_with_rbac_no_token_is_created(current: Checkout) -> None:
    done = current.run("--cluster", "current", "--yes")
    assert [line for line in changes(current) if "secret" in line] == []
    assert any(line.startswith("Token:  kubectl -n store-platform create token ACCOUNT") for line in done.lines)


@pytest.mark.parametrize(("code", "count"), [("1", 1), ("0", 0)], ids=["missing", "there"])
def test_a_shared_token_is_created_once(current: Checkout, code: str, count: int) -> None:
    done = current.run("--cluster", "current", "--yes", OBJECTS="            - name: URUMI_TOKEN", TOKEN_CODE=code)
    assert len([line for line in changes(current) if "create secret" in line]) == count
    assert any(line.startswith("Token:  kubectl -n store-platform get secret") for line in done.lines)


def test_a_missing_storage_class_is_reported(current: Checkout) -> None:
    done = current.run("--cluster", "current", "--yes", CLASSES="")
    assert any("no default storage class" in line for line in done.lines)


def test_down_changes_nothing_and_prints_the_command(current: Checkout) -> None:
    current.run("--cluster", "current", "--yes")
    current.calls_file.write_text("")
    done = current.run("down")
    assert done.code == 0
    assert "  helm --kube-context prod-eu -n store-platform uninstall urumi" in done.lines
    assert changes(current) == []


def test_the_values_for_production_are_in_the_checkout() -> None:
    assert Path(SOURCE, "charts", "platform", "values-prod.yaml").is_file()
