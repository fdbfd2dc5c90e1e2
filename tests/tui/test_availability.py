"""Which actions are available for which stores, and the reasons why not."""

import pytest

from testing.stores import failed, make_store
from tui.commands.availability import NO_STORE, available_for, why_no_calls, why_not
from tui.model.phases import as_deleted
from urumi.wire import Store

ACTIONS = ("retry", "delete", "open_shop", "copy_url", "copy_id", "copy_report", "admin")


@pytest.mark.parametrize(
    ("store", "available"),
    [
        pytest.param(make_store(), {"delete", "open_shop", "copy_url", "copy_id", "admin"}, id="ready"),
        pytest.param(failed(), {"retry", "delete", "copy_url", "copy_id", "copy_report", "admin"}, id="failed"),
        pytest.param(make_store(phase="Pending", url=""), {"retry", "delete", "copy_id"}, id="pending"),
        pytest.param(make_store(phase="Deleting"), {"copy_url", "copy_id"}, id="deleting"),
        pytest.param(as_deleted(make_store()), {"copy_url", "copy_id"}, id="deleted"),
        pytest.param(make_store(simulated=True), {"delete", "copy_url", "copy_id", "admin"}, id="simulated"),
    ],
)
def test_actions_are_available_by_phase(store: Store, available: set[str]) -> None:
    assert {action for action in ACTIONS if not why_not(action, store)} == available


def test_of_several_stores_those_with_an_available_action_are_selected() -> None:
    ready, broken = make_store("a-1"), failed("b-2")
    assert available_for("retry", [ready, broken]) == ((broken,), "")


def test_the_reason_names_the_store_or_the_number_of_stores() -> None:
    ready = make_store()
    assert available_for("retry", [ready]) == ((), "Nothing to retry: shop-1 is Ready.")
    several = available_for("retry", [ready, ready])
    assert several == ((), "Not available for any of the 2 marked stores. Nothing to retry: shop-1 is Ready.")
    assert available_for("retry", []) == ((), NO_STORE)


def test_an_action_on_one_store_is_not_available_for_several() -> None:
    stores, reason = available_for("admin", [make_store("a-1"), make_store("b-2")])
    assert (stores, reason) == ((), "Only one store at a time; 2 are marked. Press esc to unmark them.")


def test_calls_need_a_live_connection_and_write_access() -> None:
    assert why_no_calls(is_live=True, read_only=False) == ""
    assert why_no_calls(is_live=False, read_only=False) == "Server unreachable. Press R to reconnect."
    assert why_no_calls(is_live=True, read_only=True).startswith("The dashboard is read-only.")
