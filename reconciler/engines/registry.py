"""The definition of every engine, found by the name of its module.

The module of an engine has the name of its value in `urumi.store.Engine`: `reconciler.engines.medusa` defines
`Engine.MEDUSA`. A missing module fails at the first import, when the server starts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from urumi.store import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.engines.engine import EngineDefinition


def _definition(engine: Engine) -> EngineDefinition:
    definition: EngineDefinition = importlib.import_module(f"reconciler.engines.{engine.value}").DEFINITION
    return definition


ENGINES: Mapping[Engine, EngineDefinition] = {engine: _definition(engine) for engine in Engine}
