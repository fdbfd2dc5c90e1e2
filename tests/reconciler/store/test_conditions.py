"""Conditions as metav1.Condition defines them."""

from reconciler.store.conditions import Conditions

OLD = "2026-11-24T09:00:00Z"


def conditions(status: str = "False", generation: int = 2) -> Conditions:
    """Return a list with one old Ready condition of generation 2."""
    ready = {"type": "Ready", "status": status, "reason": "Old", "observedGeneration": 2, "lastTransitionTime": OLD}
    return Conditions([ready], generation)


def test_a_transition_time_changes_only_with_the_status() -> None:
    known = conditions()
    known.set("Ready", "False", "WaitingForWorkloads", "web 0/1")
    ready = known.find("Ready")
    assert ready is not None
    assert (ready["lastTransitionTime"], ready["reason"], ready["message"]) == (OLD, "WaitingForWorkloads", "web 0/1")
    known.set("Ready", "True", "Ready")
    ready = known.find("Ready")
    assert ready is not None
    assert ready["lastTransitionTime"] != OLD


def test_a_condition_is_replaced_in_its_place_and_a_new_one_is_appended() -> None:
    known = conditions()
    known.set("Stalled", "False", "Ready")
    known.set("Ready", "True", "Ready")
    assert [each["type"] for each in known.items] == ["Ready", "Stalled"]


def test_true_counts_only_for_the_current_generation() -> None:
    assert conditions("True").is_true("Ready")
    assert not conditions("True", generation=3).is_true("Ready")
    assert conditions("True", generation=3).has_status("Ready", "True")


def test_a_condition_that_was_never_set_has_no_reason_and_no_time() -> None:
    empty = Conditions((), 1)
    assert (empty.find("Ready"), empty.reason("Ready"), empty.is_true("Ready")) == (None, "", False)
    assert empty.seconds_since_transition("Ready") == 0


def test_a_change_reaches_no_list_that_was_read_before() -> None:
    before = conditions().items
    changed = Conditions(before, 2)
    changed.set("Ready", "True", "Ready")
    assert before[0]["status"] == "False"
