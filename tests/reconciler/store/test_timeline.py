"""The timeline stays small and in order."""

import json

from reconciler.store.timeline import MAX_BYTES, Timeline, shortened


def timeline() -> Timeline:
    """Return an empty timeline of 20 entries."""
    return Timeline((), max_entries=20)


def test_a_repeat_is_folded_and_counted() -> None:
    events = timeline()
    for _ in range(3):
        events.add("AttemptFailed", "no route")
    assert [(event["type"], event["count"]) for event in events.entries] == [("AttemptFailed", 3)]


def test_a_repeat_changes_no_entry_that_was_read_before() -> None:
    first = timeline()
    first.add("AttemptFailed", "no route")
    second = Timeline(first.entries, max_entries=20)
    second.add("AttemptFailed", "no route")
    assert first.entries[0]["count"] == 1


def test_the_oldest_are_removed_first() -> None:
    events = timeline()
    for number in range(30):
        events.add("Step", f"number {number}")
    assert [event["message"] for event in events.entries] == [f"number {number}" for number in range(10, 30)]


def test_long_messages_stay_within_the_bytes() -> None:
    events = timeline()
    for number in range(20):
        events.add("Failed", f"{number} " + "ü" * 5000)
    assert len(json.dumps(events.entries).encode()) <= MAX_BYTES
    assert events.entries[-1]["message"].startswith("19 ")


def test_an_event_is_added_once_per_provision_and_per_correction() -> None:
    events = timeline()
    for start in ("ProvisioningStarted", "DriftCorrected"):
        events.add(start, "started")
        events.add_once("HelmInstalled", "revision 1 is deployed", seconds=1.234)
        events.add_once("HelmInstalled", "revision 1 is deployed")
    kinds = [event["type"] for event in events.entries]
    assert kinds == ["ProvisioningStarted", "HelmInstalled", "DriftCorrected", "HelmInstalled"]
    assert events.entries[1]["seconds"] == 1.23


def test_new_events_are_taken_once() -> None:
    events = timeline()
    events.add("Ready", "wordpress 1/1")
    assert [event["type"] for event in events.take_new()] == ["Ready"]
    assert events.take_new() == []
    assert events.has("Ready")


def test_a_shortened_message_keeps_its_beginning_and_its_end() -> None:
    short = shortened("begin" + "x" * 1000 + "end", 100)
    assert len(short) <= 101
    assert short.startswith("begin")
    assert short.endswith("end")
