"""What holds for the definition of every engine."""

import json
from pathlib import Path

import pytest
import yaml

from reconciler.engines.engine import EngineDefinition
from reconciler.engines.registry import ENGINES
from reconciler.package_data import charts_dir, store_definition
from reconciler.settings import Settings
from reconciler.store.isolation import isolation_objects
from testing.stores import START, make_store
from tui.text.columns import ENGINE
from tui.text.glyphs import UNICODE
from urumi.store import Engine

POLICIES = Path(__file__).with_name("policies.json")


@pytest.fixture(params=Engine, ids=str)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    return Engine(request.param)


@pytest.fixture
def definition(engine: Engine) -> EngineDefinition:
    """The definition of the engine."""
    return ENGINES[engine]


def test_the_store_definition_allows_exactly_the_engines() -> None:
    [version] = yaml.safe_load(store_definition().read_text())["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec["properties"]["engine"]["enum"] == [engine.value for engine in Engine]


def test_the_chart_has_the_name_that_the_definition_gives(definition: EngineDefinition) -> None:
    chart = yaml.safe_load((charts_dir() / definition.chart / "Chart.yaml").read_text())
    assert chart["name"] == definition.chart


def test_the_dashboard_shows_a_name_and_the_parts(engine: Engine) -> None:
    assert ENGINE.cell(make_store(engine=engine), UNICODE, START)[0] == engine.display_name
    assert engine.display_name
    assert engine.parts


def test_generated_secrets_are_long_and_never_repeat(definition: EngineDefinition) -> None:
    for key, generate in definition.generated_secrets.items():
        assert len(generate()) >= 32, key
        assert generate() != generate(), key


def test_every_database_is_a_workload(definition: EngineDefinition) -> None:
    names = {name for _, name in definition.workloads}
    assert set(definition.databases) | set(definition.components_without_database) <= names


def test_the_policies_of_a_store_are_these() -> None:
    """A changed policy is applied to every store, so a change of this file is a decision."""
    rendered = [item for _, item in isolation_objects(Settings(), "shop-1")]
    assert json.dumps(rendered, indent=2) + "\n" == POLICIES.read_text()
