"""Failing Helm processes: the class of the error, its message and its hint. A script runs in the place of Helm."""

from pathlib import Path

import pytest

from reconciler.helm.runner import Helm
from reconciler.settings import Settings
from tests.reconciler.harness import Term
from urumi.errors import ConfigurationError, StepError, TransientError

pytestmark = pytest.mark.anyio


def helm_that(folder: Path, script: str) -> Helm:
    """Return Helm with a script in the place of its program."""
    program = folder / "helm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Helm(Settings(helm=str(program)), Term())


async def error_of_install(folder: Path, stderr: str) -> StepError:
    """Return the error of an install whose Helm writes this and fails."""
    (folder / "stderr").write_text(stderr)
    helm = helm_that(folder, f"cat >/dev/null; cat {folder}/stderr >&2; exit 1")
    with pytest.raises(StepError) as raised:
        await helm.install("woocommerce-shop-a", "store-shop-a", folder, {}, {})
    return raised.value


@pytest.mark.parametrize(
    ("stderr", "kind", "reason", "hint"),
    [
        pytest.param(
            "Error: values don't meet the specifications of the schema(s)",
            ConfigurationError,
            "HelmRefused",
            "Check spec.values against",
            id="schema",
        ),
        pytest.param(
            "Error: execution error at (x)", ConfigurationError, "HelmRefused", "Check the chart's", id="chart"
        ),
        pytest.param(
            "Error: pods is forbidden: exceeded quota", ConfigurationError, "HelmRefused", "Raise the quota", id="quota"
        ),
        pytest.param("Error: Forbidden", ConfigurationError, "HelmRefused", "Check the RBAC", id="RBAC"),
        pytest.param(
            "Error: forbidden: namespace is being terminated",
            TransientError,
            "NamespaceTerminating",
            "",
            id="namespace",
        ),
        pytest.param("Error: dial tcp: refused", TransientError, "HelmFailed", "Read Helm's message", id="network"),
    ],
)
async def test_the_cause_decides_class_reason_and_hint(
    tmp_path: Path, stderr: str, kind: type[StepError], reason: str, hint: str
) -> None:
    error = await error_of_install(tmp_path, stderr)
    assert type(error) is kind
    assert (error.step, error.reason) == ("release", reason)
    assert error.hint.startswith(hint)
    assert error.message == f"helm could not install release woocommerce-shop-a: {stderr.removeprefix('Error: ')}"


async def test_a_failed_upgrade_is_called_an_upgrade(tmp_path: Path) -> None:
    error = await error_of_install(tmp_path, "Error: UPGRADE FAILED: context deadline exceeded")
    assert error.message.startswith("helm could not upgrade release woocommerce-shop-a: UPGRADE FAILED")


async def test_the_message_starts_where_helm_repeats_its_error(tmp_path: Path) -> None:
    error = await error_of_install(tmp_path, 'level=ERROR msg="boom"\nError: boom\nand more\n')
    assert error.message == "helm could not install release woocommerce-shop-a: boom and more"


async def test_a_failure_without_output_names_the_exit_code(tmp_path: Path) -> None:
    error = await error_of_install(tmp_path, "")
    assert error.message == "helm could not install release woocommerce-shop-a: exit code 1 without output"


async def test_a_release_that_does_not_exist_is_uninstalled_already(tmp_path: Path) -> None:
    helm = helm_that(tmp_path, 'echo "Error: uninstall: release: not found" >&2; exit 1')
    assert await helm.uninstall("woocommerce-shop-a", "store-shop-a") is False


async def test_a_failed_uninstall_is_an_error(tmp_path: Path) -> None:
    helm = helm_that(tmp_path, 'echo "Error: dial tcp: refused" >&2; exit 1')
    with pytest.raises(TransientError, match="helm could not uninstall release woocommerce-shop-a: dial tcp: refused"):
        await helm.uninstall("woocommerce-shop-a", "store-shop-a")


async def test_output_that_is_not_json_is_an_unusable_helm(tmp_path: Path) -> None:
    helm = helm_that(tmp_path, "cat >/dev/null; echo hello")
    with pytest.raises(ConfigurationError) as raised:
        await helm.install("woocommerce-shop-a", "store-shop-a", tmp_path, {}, {})
    assert raised.value.reason == "HelmUnusable"


async def test_the_labels_and_the_environment_reach_helm_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_DEBUG", "1")
    monkeypatch.setenv("SOME_TOKEN", "secret")
    script = f'cat >/dev/null; echo "$@" >{tmp_path}/arguments; env >{tmp_path}/environment; echo \'{{"version": 3}}\''
    helm = helm_that(tmp_path, script)
    assert await helm.install("woocommerce-shop-a", "store-shop-a", tmp_path, {}, {"urumi.ai/digest": "d1"}) == 3
    assert "--labels=urumi.ai/digest=d1" in (tmp_path / "arguments").read_text()
    environment = (tmp_path / "environment").read_text()
    assert "HELM_DEBUG" not in environment
    assert "SOME_TOKEN" not in environment
