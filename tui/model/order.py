"""The orders of the list: by which values stores are compared; the id decides between equal values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.model.phases import PHASE_ORDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from urumi.wire import Store


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the list, named as it is typed after `:sort`."""

    name: str
    key: Callable[[Store], tuple[object, ...]]


def _newest_first(at: datetime | None) -> float:
    return -at.timestamp() if at else 0.0


BY_NAME = Order("name", lambda store: (store.store_id,))
BY_PHASE = Order("phase", lambda store: (PHASE_ORDER.index(store.phase), store.store_id))
BY_PROGRESS = Order(
    "progress",
    lambda store: (store.progress.index / max(1, store.progress.total) if store.progress else 2.0, store.store_id),
)
BY_ENGINE = Order("engine", lambda store: (store.engine.value, store.store_id))
BY_URL = Order("url", lambda store: (store.url, store.store_id))
BY_AGE = Order("age", lambda store: (_newest_first(store.created_at), store.store_id))
BY_LAST_EVENT = Order(
    "last event",
    lambda store: (_newest_first(store.events[-1].timestamp if store.events else None), store.store_id),
)
ORDERS = (BY_NAME, BY_PHASE, BY_PROGRESS, BY_ENGINE, BY_URL, BY_AGE, BY_LAST_EVENT)
