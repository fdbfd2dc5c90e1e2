"""The timeline stays small and in order, whatever happens."""

import json

from reconciler.kube.resources import Object
from reconciler.store.timeline import MAX_BYTES, appended, shortened, timeline_event


def test_a_repeat_is_folded_and_counted() -> None:
    events: list[Object] = []
    for _ in range(3):
        events = appended(events, timeline_event("AttemptFailed", "no route"), max_entries=20)
    assert [(event["type"], event["count"]) for event in events] == [("AttemptFailed", 3)]


def test_the_oldest_go_first() -> None:
    events: list[Object] = []
    for number in range(30):
        events = appended(events, timeline_event("Step", f"number {number}"), max_entries=20)
    assert [event["message"] for event in events] == [f"number {number}" for number in range(10, 30)]


def test_long_messages_stay_within_the_bytes() -> None:
    events: list[Object] = []
    for number in range(20):
        events = appended(events, timeline_event("Failed", f"{number} " + "ü" * 5000), max_entries=20)
    assert len(json.dumps(events).encode()) <= MAX_BYTES
    assert events[-1]["message"].startswith("19 ")


def test_a_shortened_message_keeps_its_beginning_and_its_end() -> None:
    short = shortened("begin" + "x" * 1000 + "end", 100)
    assert len(short) <= 101
    assert short.startswith("begin")
    assert short.endswith("end")
