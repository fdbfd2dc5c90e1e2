"""Prepares a cluster for the platform: the definition of a Store and the platform namespace.

`urumi serve --install` calls it before the server starts, for a cluster in which nothing is installed yet. In
production, the chart `charts/platform` brings both.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import yaml

from reconciler.kube.resources import NAMESPACES, Object, Resource
from reconciler.package_data import store_definition
from urumi.errors import ClusterConflict, UrumiError

if TYPE_CHECKING:
    from reconciler.kube.client import Kube

DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
ESTABLISHED_SECONDS, POLL_SECONDS = 60.0, 0.2


async def install(kube: Kube, platform_namespace: str) -> None:
    """Apply the definition of a Store, wait until the API server serves it, and create the platform namespace.

    Raises:
        ClusterError: the API server refused a request.
        UrumiError: the definition is not established after 60 s.
    """
    definition = await kube.apply(DEFINITIONS, yaml.safe_load(store_definition().read_text()))
    name = definition["metadata"]["name"]
    try:
        async with asyncio.timeout(ESTABLISHED_SECONDS):
            while True:
                if _is_established(await kube.get(DEFINITIONS, name)):
                    break
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        raise UrumiError(
            f"Store definition {name} not established after {ESTABLISHED_SECONDS:.0f} s.",
            hint=f"Check its conditions with: kubectl describe crd {name}",
        ) from error
    with contextlib.suppress(ClusterConflict):
        await kube.create(NAMESPACES, {"metadata": {"name": platform_namespace}})


def _is_established(definition: Object | None) -> bool:
    conditions = ((definition or {}).get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
