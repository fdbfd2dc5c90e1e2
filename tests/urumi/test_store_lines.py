"""A store as lines: in a list, as a description, in a stream, and its verification; each fits its terminal."""

from datetime import timedelta

import pytest

from testing.stores import START, event, failed, make_store, provisioning
from urumi.cli.commands.verify import verification_lines
from urumi.cli.store_lines import block, change_line, event_line, list_lines, row, store_line, unseen
from urumi.cli.table import columns_of
from urumi.wire import Verification

NOW = START + timedelta(minutes=3)
WIDTHS = (40, 80, 120, 200)
LONG = "helm could not upgrade woocommerce-shop-1: " + "Deployment wordpress was not ready in time; " * 6
LISTED = [
    make_store("shop-1", "Failed", last_error={"step": "release", "reason": "UpgradeFailed", "message": LONG}),
    provisioning("shop-22"),
    make_store("a-store-with-thirty-two-letters-x", engine="medusa"),
    provisioning("shop-3", "雪" * 100),
]


def test_a_row_shows_what_a_store_waits_for() -> None:
    cells = ("shop-1", "Provisioning", "5/5 health: waiting for wordpress 0/1", "woocommerce")
    assert row(provisioning(), NOW) == (*cells, "http://shop-1.127.0.0.1.nip.io", "3m")


def test_a_row_shows_why_a_store_failed() -> None:
    assert row(failed(), NOW)[2] == "health: ImagePullBackOff: no image"


def test_empty_cells_are_visible() -> None:
    assert row(make_store(url="", created_at=None), NOW)[2:] == ("-", "woocommerce", "-", "-")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_list_fits_the_terminal_and_keeps_phase_and_age(width: int) -> None:
    lines = list_lines(LISTED, NOW, width=width, ellipsis="…")
    assert max(map(columns_of, lines)) <= width
    assert len(lines) == 1 + len(LISTED)
    assert lines[0].split()[:3] == ["NAME", "PHASE", "PROGRESS"]
    assert lines[0].endswith("AGE")
    for line, store in zip(lines[1:], LISTED, strict=True):
        assert store.phase.value in line
        assert line.endswith("3m")
    assert "…" in lines[1]
    assert not lines[1].isascii()


def test_a_narrow_list_omits_the_address_before_the_engine() -> None:
    headings = {width: list_lines(LISTED, NOW, width=width)[0].split() for width in WIDTHS}
    assert headings[40] == ["NAME", "PHASE", "PROGRESS", "AGE"]
    assert headings[120] == ["NAME", "PHASE", "PROGRESS", "ENGINE", "AGE"]
    assert headings[200] == ["NAME", "PHASE", "PROGRESS", "ENGINE", "URL", "AGE"]


def test_a_list_without_a_width_is_complete() -> None:
    lines = list_lines(LISTED, NOW)
    assert LONG.strip() in lines[1]
    assert "http://shop-1.127.0.0.1.nip.io" in lines[1]


def test_a_list_of_short_texts_is_the_same_in_every_terminal_that_is_wide_enough() -> None:
    stores = [make_store("shop-1"), make_store("shop-2")]
    assert list_lines(stores, NOW, width=80) == list_lines(stores, NOW)


def test_a_description_shows_the_hint_of_an_error() -> None:
    lines = block(failed(simulated=True, next_retry_at=START), NOW)
    text = "\n".join(lines)
    assert lines[0].split() == ["Store", "shop-1"]
    for part in ("ImagePullBackOff", "Check the image.", "simulated", "2026-11-24T10:00:00Z (3m ago)"):
        assert part in text
    assert "Progress" not in text


def test_a_description_has_the_requester_and_an_unobserved_generation() -> None:
    store = make_store(generation=2, requested_by={"user": "mia"}, deletion_requested_at=START)
    lines = [" ".join(line.split()) for line in block(store, NOW)]
    assert "Requested by mia" in lines
    assert "Generation 2, observed 1" in lines
    assert "Deletion requested 2026-11-24T10:00:00Z (3m ago)" in lines


def test_a_description_has_conditions_and_timeline() -> None:
    condition = {"type": "Ready", "status": "False", "reason": "Waiting", "message": "for\nwordpress"}
    lines = block(make_store(conditions=[condition], events=[event("NamespaceReady", "there")]), NOW)
    assert "  Ready  False  Waiting  for wordpress" in lines
    assert "  2026-11-24T10:00:00Z  NamespaceReady  there" in lines


@pytest.mark.parametrize("width", WIDTHS)
def test_a_description_is_wrapped_to_the_terminal_and_loses_nothing(width: int) -> None:
    store = make_store(
        phase="Failed",
        last_error={"step": "release", "reason": "UpgradeFailed", "message": LONG, "hint": LONG},
        conditions=[
            {"type": "StorefrontAnswers", "status": "Unknown", "reason": "StorefrontAnswersUnknown", "message": LONG},
            {"type": "Ready", "status": "False", "reason": "UpgradeFailed", "message": LONG},
        ],
        events=[event("AttemptFailed", LONG, level="warning", seconds=1.0)],
    )
    lines = block(store, NOW, width=width)
    # Only a single word that is longer than the line may be wider.
    assert all(columns_of(line) <= width or len(line.split()) <= 2 for line in lines)
    assert " ".join("\n".join(lines).split()).count(" ".join(LONG.split())) == 5


def test_an_event_line_has_level_duration_and_repeats() -> None:
    line = event_line(event("AttemptFailed", "no image", level="warning", seconds=1.25, count=3))
    assert line == "2026-11-24T10:00:00Z  AttemptFailed  warning  no image  (1.2 s)  (3 times)"


def test_a_change_line_has_an_address_only_if_the_store_is_ready() -> None:
    assert change_line(make_store(), START).endswith("Ready  http://shop-1.127.0.0.1.nip.io")
    assert change_line(make_store(phase="Provisioning"), START).endswith("shop-1  Provisioning")


def test_a_store_line_has_an_address_if_there_is_one() -> None:
    assert store_line(make_store()) == "shop-1  Ready  http://shop-1.127.0.0.1.nip.io"
    assert store_line(make_store(phase="Pending", url="")) == "shop-1  Pending"


VERIFICATION = Verification.model_validate(
    {
        "store_id": "shop-1",
        "ok": False,
        "message": "the order was not cancelled",
        "stages": [
            {"name": "cart", "ok": True, "seconds": 0.123, "message": "1 item"},
            {"name": "cancel", "ok": False, "seconds": 2.0, "message": "HTTP 500 from\x1b the shop " * 3},
        ],
    }
)


def test_a_verification_is_a_table_of_its_stages_and_a_message() -> None:
    lines = verification_lines(VERIFICATION)
    assert lines[0] == "ok      cart    0.12 s  1 item"
    assert lines[1].startswith("FAILED  cancel  2.00 s  HTTP 500 from\\x1b the shop")
    assert lines[2] == "the order was not cancelled"
    assert verification_lines(VERIFICATION.model_copy(update={"stages": ()})) == ["the order was not cancelled"]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_verification_is_wrapped_to_the_terminal(width: int) -> None:
    lines = verification_lines(VERIFICATION, width=width)
    assert max(map(columns_of, lines)) <= width
    assert " ".join("\n".join(lines).split()).count("HTTP 500 from\\x1b the shop") == 3


def test_events_are_new_once_and_again_when_they_repeat() -> None:
    seen: set[tuple[object, ...]] = set()
    first, second = event("A", "a"), event("B", "b", at=1)
    repeated = event("B", "b", at=5, count=2)
    assert unseen([first, second], seen) == [first, second]
    assert unseen([first, second], seen) == []
    assert unseen([first, repeated], seen) == [repeated]
    # The oldest event left the bounded timeline; nothing is new.
    assert unseen([repeated], seen) == []
