"""The state of a store, as text."""

from datetime import timedelta

import pytest

from testing.stores import START, failed, make_store, provisioning
from tui.model.phases import as_deleted
from tui.text.progress import attempt_text, since_text, status_text
from urumi.wire import Store


@pytest.mark.parametrize(
    ("store", "text"),
    [
        pytest.param(make_store(), "shop-1.127.0.0.1.nip.io", id="ready"),
        pytest.param(provisioning(), "5/5 waiting for wordpress 0/1", id="provisioning"),
        pytest.param(provisioning(message=""), "5/5 health", id="provisioning-without-a-message"),
        pytest.param(failed(), "ImagePullBackOff: no image", id="failed"),
        pytest.param(make_store(phase="Failed"), "no reason reported", id="failed-without-a-reason"),
        pytest.param(make_store(phase="Pending"), "waiting in the queue", id="pending"),
        pytest.param(make_store(phase="Deleting"), "deleting", id="deleting"),
        pytest.param(as_deleted(failed()), "deleted", id="deleted"),
        pytest.param(
            make_store(phase="Degraded", conditions=[{"type": "Ready", "status": "False", "reason": "CrashLoop"}]),
            "CrashLoop",
            id="degraded-by-its-condition",
        ),
    ],
)
def test_the_state_of_a_store_in_one_line(store: Store, text: str) -> None:
    assert status_text(store) == text


def test_the_time_since_a_store_is_ready_or_was_requested() -> None:
    now = START + timedelta(minutes=5)
    assert since_text(make_store(ready_at=START + timedelta(minutes=2)), now) == "for 3 min"
    assert since_text(failed(), now) == "requested 5 min ago"
    assert since_text(make_store(created_at=None), now) == ""


def test_the_failed_attempt_and_the_time_of_the_next_one() -> None:
    later = START + timedelta(seconds=40)
    assert attempt_text(failed(attempts=3, next_retry_at=later), START) == "attempt 3, next in 40 s (r retries now)"
    assert attempt_text(failed(attempts=3, next_retry_at=later), later) == "attempt 3"
    assert attempt_text(make_store(attempts=3), START) == ""
