"""Changes ConfigMaps directly in the API server, without the proxy, in every way that objects change.

A dozen names are created, changed, deleted, deleted and immediately recreated, and moved out of the informer's selector
and back.
"""

import asyncio
import contextlib
import random
from typing import Any

from reconciler.kube.client import Kube
from reconciler.kube.resources import Resource
from urumi.errors import ClusterUnreachable

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
LABEL = "tests.urumi.ai/watched"
SELECTOR = f"{LABEL}=yes"
PAUSE_SECONDS = 0.15


class Writer:
    """Writes in one namespace; the same `seed` gives the same order of changes."""

    def __init__(self, kube: Kube, namespace: str, seed: str, names: int = 12) -> None:
        self.writes = 0
        self._kube = kube
        self._namespace = namespace
        self._random = random.Random(seed)
        self._names = [f"map-{number:02d}" for number in range(names)]
        self._there: set[str] = set()

    async def fill(self) -> None:
        """Create every object."""
        await asyncio.gather(*(self._put(name) for name in self._names))

    async def run(self) -> None:
        """Write until cancelled; changes that fail because the API server is down are skipped."""
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            with contextlib.suppress(ClusterUnreachable):
                await self.write()

    async def write(self) -> None:
        """Change one object in a random way."""
        name = self._random.choice(self._names)
        if name not in self._there:
            await self._put(name)
            return
        match self._random.choice(("change", "change", "move", "delete", "make again")):
            case "change":
                await self._put(name)
            case "move":
                await self._put(name, watched=self._random.choice(("yes", "no")))
            case "delete":
                await self._delete(name)
            case "make again":
                await self._delete(name)
                await self._put(name)

    async def mark(self) -> str:
        """Create an object with a new name, and return the name."""
        self.writes += 1
        name = f"mark-{self.writes}"
        await self._put(name)
        return name

    async def truth(self) -> dict[str, Any]:
        """Return the selected objects by name, as the API server stores them."""
        query = {"labelSelector": SELECTOR}
        listed = await self._kube.list_page(CONFIG_MAPS, self._namespace, query, metadata_only=False)
        return {item["metadata"]["name"]: essence(item) for item in listed["items"]}

    async def _put(self, name: str, watched: str = "yes") -> None:
        self.writes += 1
        item = {"metadata": {"name": name, "labels": {LABEL: watched}}, "data": {"write": str(self.writes)}}
        await self._kube.apply(CONFIG_MAPS, item, namespace=self._namespace)
        self._there.add(name)

    async def _delete(self, name: str) -> None:
        self.writes += 1
        await self._kube.delete(CONFIG_MAPS, name, self._namespace)
        self._there.discard(name)


def essence(item: Any) -> Any:
    """Return the fields that a copy must have: all except those that lists omit and informers do not keep."""
    meta = {name: value for name, value in item["metadata"].items() if name != "managedFields"}
    return {"metadata": meta, "data": item.get("data")}
