"""Settings, docs/configuration.md and charts/platform have the same variables with the same defaults.

The settings classes list their variables. Those that other code reads are found in its source: a call or an index that
has the environment in it and a name in capitals.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from reconciler.settings import Settings, settings_from
from server.settings import ServerSettings, server_settings_from
from urumi.environment import PREFIX, variables

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("urumi", "reconciler", "server")
NAME = re.compile(r"[A-Z][A-Z0-9_]+")
ROW = re.compile(r"\| `([A-Z][A-Z0-9_]+)` \| (?:`(.+?)`|\*none\*) \| (.+) \| (.+) \|")

# Read where LC_ALL is not set; LC_ALL stands for all three in the documentation.
OF_THE_SYSTEM = frozenset({"LC_CTYPE", "LANG"})

# Variables that are not in the chart's ConfigMap, and where the pod gets each of them instead.
NOT_IN_THE_CONFIGMAP = {
    "URUMI_HOST": "an argument of the container",
    "URUMI_PORT": "an argument of the container",
    "URUMI_TOKEN": "the Secret",
    "URUMI_AUTH_MODE": "the container's environment, because the chart's RBAC depends on it",
    "URUMI_STATE_DIR": "the container's environment, beside its volume",
    "URUMI_URL": "read by clients only",
    "LC_ALL": "read by clients only",
    "URUMI_HELM": "the image, which contains Helm",
    "URUMI_CHARTS_DIR": "the image, which contains the charts",
    "KUBECONFIG": "not set, so that the pod uses its ServiceAccount",
}


@cache
def read_by_the_code() -> frozenset[str]:
    """Return the name of every environment variable that the code reads."""
    sources = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    elsewhere = frozenset(name for path in sources for name in names_in(path.read_text())) - OF_THE_SYSTEM
    return elsewhere | {variable.name for each in (Settings, ServerSettings) for variable in variables(each).values()}


def names_in(source: str) -> Iterator[str]:
    """Yield the variables that a module reads."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(ast.Attribute(owner), arguments) if is_environment(owner):
                yield from constants(arguments)
            case ast.Call(_, arguments) if any(map(is_environment, arguments)):
                yield from constants(arguments)
            case ast.Call(ast.Attribute(attr="getenv") | ast.Name(id="getenv"), arguments):
                yield from constants(arguments)
            case ast.Subscript(owner, index) if is_environment(owner):
                yield from constants([index])


def is_environment(node: ast.AST) -> bool:
    """Return whether an expression is the environment: `environ`, `os.environ`."""
    return isinstance(node, ast.Name | ast.Attribute) and getattr(node, "attr", getattr(node, "id", "")) == "environ"


def constants(nodes: list[ast.expr]) -> Iterator[str]:
    """Yield the names in capitals among some expressions."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
            yield node.value


@cache
def documented() -> dict[str, str]:
    """Return the default of every variable in the tables of docs/configuration.md, by its name."""
    rows = ROW.findall((ROOT / "docs" / "configuration.md").read_text())
    found = {name: default for name, default, *_ in rows}
    assert len(found) == len(rows), "a variable is documented twice"
    return found


@cache
def of_the_chart() -> dict[str, str]:
    """Return the variables of the chart's ConfigMap and their defaults, without the release's own namespace."""
    values = yaml.safe_load((ROOT / "charts" / "platform" / "values.yaml").read_text())
    return {PREFIX + name: str(value) for name, value in values["config"].items()}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('os.environ.get("A_B", "C_D".lower())', ["A_B"]),
        ('environ["A_B"]', ["A_B"]),
        ('_number(environ, "A_B", defaults.a_b)', ["A_B"]),
        ('os.getenv("A_B")', ["A_B"]),
        ('headers.get("A_B")', []),
    ],
)
def test_a_variable_is_found_in_every_way_of_reading_it(source: str, names: list[str]) -> None:
    assert list(names_in(source)) == names


def test_every_variable_that_the_code_reads_is_documented() -> None:
    assert read_by_the_code() - documented().keys() == set()


def test_every_documented_variable_is_read() -> None:
    assert documented().keys() - read_by_the_code() == set()


def test_the_chart_has_every_variable_that_has_no_other_source() -> None:
    assert of_the_chart().keys() | {"URUMI_PLATFORM_NAMESPACE"} == read_by_the_code() - NOT_IN_THE_CONFIGMAP.keys()


def test_every_variable_with_another_source_is_read() -> None:
    assert NOT_IN_THE_CONFIGMAP.keys() <= read_by_the_code()


def test_the_documentation_has_the_defaults_of_the_chart() -> None:
    assert of_the_chart().items() <= documented().items()


def test_the_chart_has_the_defaults_of_the_code() -> None:
    environ = of_the_chart()

    assert settings_from(environ) == Settings()
    assert server_settings_from(environ) == ServerSettings()


def test_the_templates_of_the_chart_add_the_prefix() -> None:
    templates = ROOT / "charts" / "platform" / "templates"

    assert "  URUMI_{{ $name }}: " in (templates / "configmap.yaml").read_text()
    assert "- name: URUMI_AUTH_MODE" in (templates / "deployment.yaml").read_text()


def test_every_variable_of_the_settings_has_the_prefix_except_kubeconfig() -> None:
    names = {variable.name for each in (Settings, ServerSettings) for variable in variables(each).values()}

    assert {name for name in names if not name.startswith(PREFIX)} == {"KUBECONFIG"}


def test_the_documentation_has_the_other_defaults_of_the_code() -> None:
    settings, server, defaults = Settings(), ServerSettings(), documented()

    assert defaults["URUMI_PLATFORM_NAMESPACE"] == settings.platform_namespace
    assert defaults["URUMI_HELM"] == settings.helm
    assert defaults["URUMI_CHARTS_DIR"] == settings.charts_dir.name
    assert defaults["URUMI_AUTH_MODE"] == server.auth_mode
    assert (defaults["URUMI_HOST"], defaults["URUMI_PORT"]) == (server.host, str(server.port))


def test_the_documentation_has_the_quota_of_the_code() -> None:
    quota = ",".join(f"{name}={amount}" for name, amount in Settings().quota.items())

    assert f"`{quota}`" in (ROOT / "docs" / "configuration.md").read_text()
