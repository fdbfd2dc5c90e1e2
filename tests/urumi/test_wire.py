"""The wire models: serialization, tolerance of unknown fields, and the documents that are derived from them."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from testing.stores import event, failed, make_store
from urumi.schema import live_schema
from urumi.store import Engine
from urumi.wire import (
    FRAMES,
    Bookmark,
    CreateStore,
    Deleted,
    Delta,
    EventList,
    Goodbye,
    Problem,
    ProblemDetail,
    Resume,
    Resync,
    Snapshot,
    Store,
    StoreList,
    Subscribe,
    Wire,
    dump,
)

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "urumi.v1.schema.json"
PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"

FULL = make_store(
    "shop-1",
    "Provisioning",
    admin_url="http://shop-1.127.0.0.1.nip.io/wp-admin/",
    updated_at=datetime(2026, 11, 24, 10, 0, 7, 123000, UTC),
    ready_at=None,
    attempts=2,
    next_retry_at=datetime(2026, 11, 24, 10, 1, tzinfo=UTC),
    simulated=True,
    progress={"step": "health", "index": 5, "total": 6, "message": "waiting"},
    last_error={"step": "health", "reason": "ImagePullBackOff", "message": "no", "hint": "look"},
    release={"revision": 3, "chart_version": "0.1.0", "digest": "9f2c"},
    requested_by={"user": "admin", "ip": "127.0.0.1", "user_agent": "urumi/0.1.0"},
    conditions=[{"type": "Ready", "status": "False", "reason": "Waiting", "message": "m", "observed_generation": 1}],
    events=[dump(event("NamespaceReady", "namespace store-shop-1", seconds=0.2, step="namespace"))],
)


@pytest.mark.parametrize(
    "model",
    [
        FULL,
        failed(),
        make_store(),
        StoreList(items=(FULL, make_store("shop-2"))),
        EventList(store_id="shop-1", items=FULL.events),
        Deleted(deleted=False, store_id="shop-1", reason="NotFound"),
        CreateStore(store_id="shop-1", engine=Engine.MEDUSA),
        Problem(
            type="urn:urumi:problem:conflict", title="t", status=409, errors=(ProblemDetail(pointer="/x", message="m"),)
        ),
        Subscribe(resume=Resume(epoch="e", seq=4), stores=("shop-1",)),
        Subscribe(),
        Snapshot(epoch="e", seq=1, stores=(FULL,), last=True),
        Delta(seq=2, op="upsert", store_id="shop-1", uid="u", store=FULL),
        Delta(seq=3, op="delete", store_id="shop-1", uid="u"),
        Bookmark(epoch="e", seq=3, age_seconds=0.5),
        Resync(reason="r"),
        Goodbye(reason="g", retry_ms=250),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_model_survives_the_wire(model: Wire) -> None:
    assert type(model).model_validate_json(json.dumps(dump(model))) == model


def test_names_on_the_wire_are_camel_case_and_absent_fields_are_left_out() -> None:
    on_the_wire = dump(make_store())
    assert {"storeId", "releaseName", "createdAt"} <= on_the_wire.keys()
    assert not {"lastError", "progress", "readyAt"} & on_the_wire.keys()
    assert not [name for name in on_the_wire if "_" in name]


def test_times_are_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    read = Store.model_validate_json(json.dumps({**dump(make_store()), "createdAt": "2026-11-24T10:00:00+01:00"}))
    assert read.created_at == datetime(2026, 11, 24, 10, tzinfo=berlin)
    assert dump(make_store())["createdAt"] == "2026-11-24T10:00:00Z"


@pytest.mark.parametrize(
    "frame",
    [
        Snapshot(epoch="e", seq=1, stores=(), last=False),
        Delta(seq=2, op="delete", store_id="shop-1", uid="u"),
        Bookmark(epoch="e", seq=3),
        Resync(reason="r"),
        Goodbye(reason="g"),
    ],
    ids=lambda frame: frame.type,
)
def test_a_frame_is_identified_by_its_type(frame: Wire) -> None:
    assert FRAMES.validate_json(json.dumps(dump(frame))) == frame


def test_unknown_fields_are_ignored() -> None:
    assert Store.model_validate({**dump(make_store()), "colour": "green"}) == make_store()


def test_a_creation_with_an_unknown_field_is_rejected() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        CreateStore.model_validate({"storeId": "shop-1", "engine": "medusa", "sise": "large"})


@pytest.mark.parametrize(
    "change",
    [{"phase": "Splendid"}, {"engine": "shopify"}, {"uid": None}, {"createdAt": "yesterday"}],
    ids=lambda change: next(iter(change)),
)
def test_a_store_that_breaks_a_rule_is_rejected(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Store.model_validate({**dump(make_store()), **change})


def test_models_cannot_be_changed() -> None:
    store = make_store()
    with pytest.raises(ValidationError, match="frozen"):
        store.phase = failed().phase


def test_the_examples_in_the_protocol_document_are_valid() -> None:
    # The document has "..." where a time is required.
    text = PROTOCOL.read_text().replace('"..."', '"2026-11-24T10:00:00Z"')
    examples = [json.loads(example) for example in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    stores = [Store.model_validate(example) for example in examples if "phase" in example]
    subscriptions = [Subscribe.model_validate(example) for example in examples if example.get("type") == "subscribe"]
    assert len(stores) + len(subscriptions) == len(examples) == 2
    shown = next(example for example in examples if "phase" in example)
    assert shown.keys() == dump(stores[0]).keys()
    assert subscriptions[0].resume == Resume(epoch="c0ffee", seq=41)


def test_the_protocol_document_names_every_frame() -> None:
    text = PROTOCOL.read_text()
    for kind in ("subscribe", "snapshot", "delta", "bookmark", "resync", "goodbye"):
        assert f'"type": "{kind}"' in text


def test_the_published_schema_is_that_of_the_models() -> None:
    assert json.loads(SCHEMA.read_text()) == live_schema(), "run: python -m urumi.schema > docs/urumi.v1.schema.json"
