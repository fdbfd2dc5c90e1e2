"""The details and the timeline of a store as lines: their content, and that no two cells touch."""

from datetime import timedelta

import pytest
from rich.cells import cell_len

from testing.stores import START, event, failed, make_store, provisioning
from tui.model.phases import as_deleted
from tui.text.details import details
from tui.text.glyphs import UNICODE
from tui.text.overview import overview
from tui.text.pieces import Line, Pieces
from tui.text.timeline import timeline
from urumi.wire import Store

WIDTHS = [55, 75, 95, 155]  # the width of the details at 60, 80, 100 and 160 columns
# The longest text that the platform writes.
CONDITIONS = ("Ready", "Reconciling", "Stalled", "Released", "Healthy", "StorefrontAnswers")
EVENTS = (
    "ProvisioningStarted",
    "HelmInstallStarted",
    "StorefrontAnswers",
    "ReleaseUninstalled",
    "NamespaceTerminating",
)
LATER = START + timedelta(days=3)


def text_of(pieces: Pieces) -> str:
    """Return pieces as text."""
    return "".join(text for text, _ in pieces)


def text(line: Line) -> str:
    """Return a line as text."""
    return text_of((*line.head, *line.body))


def long_store() -> Store:
    """Return a store with the longest names and values."""
    conditions = [
        {"type": kind, "status": "Unknown", "reason": "QuotaNotInForce", "last_transition_time": START}
        for kind in CONDITIONS
    ]
    events = [event(kind, "message", at=number, seconds=3599.0) for number, kind in enumerate(EVENTS)]
    fields = {"deletion_requested_at": START, "generation": 7, "observed_generation": 6}
    return failed("x" * 32, conditions=conditions, events=events, **fields)


def lines(store: Store, *, seconds: float = 60.0, width: int = 120) -> list[str]:
    """Return the timeline of a store as texts."""
    return [text(line) for line in timeline(store, UNICODE, START + timedelta(seconds=seconds), width=width)]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_two_cells_of_the_conditions_touch(width: int) -> None:
    shown = list(details(long_store(), UNICODE, LATER, width))
    conditions = [line for line in shown if text_of(line.head).startswith(CONDITIONS)]
    assert len(conditions) == len(CONDITIONS)
    for line, kind in zip(conditions, CONDITIONS, strict=True):
        cells = [each for each in text_of(line.head).split("  ") if each]
        assert [each.strip() for each in cells] == [kind, "Unknown", "24 Nov 10:00:00"]
        assert text_of(line.head).endswith("  ")
        assert text_of(line.body) == "QuotaNotInForce"
    assert len({cell_len(text_of(line.head)) for line in conditions}) == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_no_label_touches_its_value(width: int) -> None:
    shown = list(details(long_store(), UNICODE, LATER, width))
    for name in ("Deletion requested", "Observed generation", "Engine", "UID"):
        (line,) = [line for line in shown if text_of(line.head).rstrip() == name]
        assert text_of(line.head).endswith("  ")
        assert text_of(line.body)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_type_of_an_event_touches_what_follows(width: int) -> None:
    shown = list(timeline(long_store(), UNICODE, LATER, width=width))
    assert [text_of(line.head[2:3]).rstrip() for line in shown] == list(EVENTS)
    assert all(text_of(line.head).endswith("  ") for line in shown)
    took = "59 min 59 s"
    assert all(text(line).endswith(f"message  {took}" if width < 90 else f"{took}  message") for line in shown)


@pytest.mark.parametrize("width", WIDTHS)
def test_very_long_names_are_shortened_with_an_ellipsis(width: int) -> None:
    store = failed(
        conditions=[{"type": "T" * 316, "status": "Unknown", "reason": "Reason"}], events=[event("E" * 4096, "message")]
    )
    shown = list(details(store, UNICODE, LATER, width))
    assert all(cell_len(text_of(line.head)) <= width for line in shown)
    (condition,) = [line for line in shown if text_of(line.head).startswith("TTT")]
    assert "…  Unknown  " in text_of(condition.head)


def test_a_bad_status_has_the_tone_of_a_warning_or_an_error() -> None:
    conditions = [
        {"type": kind, "status": status, "reason": "Reason"}
        for kind, status in (("Ready", "False"), ("Stalled", "True"), ("Stalled", "False"), ("Ready", "True"))
    ]
    shown = list(details(make_store(conditions=conditions), UNICODE, START, 95))
    tones = [line.head[1][1] for line in shown if text_of(line.head).startswith(("Ready ", "Stalled"))]
    assert tones == ["warning", "error", "quiet", "good"]


def test_the_times_of_the_timeline_have_a_zone_in_its_heading() -> None:
    assert "Timeline, times in UTC" in [text(line) for line in details(make_store(), UNICODE, START, 95)]


def test_a_timeline_shows_times_types_and_durations() -> None:
    store = make_store(events=[event("NamespaceReady", "namespace store-shop-1", seconds=0.24)])
    (line,) = lines(store)
    assert line.split()[1:] == ["·", "NamespaceReady", "0.2", "s", "namespace", "store-shop-1"]


def test_gaps_between_events_are_shown() -> None:
    store = make_store(events=[event("A"), event("B", at=12.0), event("C", at=40.0, seconds=27.0)])
    assert [line.strip() for line in lines(store) if "…" in line] == ["… 12 s"]


def test_repeated_events_are_folded_with_their_count() -> None:
    store = make_store(events=[event("ImagePullBackOff", "no image", level="warning", count=7)])
    assert "×7 no image" in lines(store)[0]


def test_the_timeline_of_a_provisioning_store_ends_with_its_current_step() -> None:
    last = lines(provisioning(events=[event("HelmInstalled")]), seconds=75.0)[-1]
    assert last.split()[:5] == ["now", "◐", "Provisioning", "1", "min"]
    assert last.endswith("5/5 waiting for wordpress 0/1")


def test_a_full_timeline_shows_that_earlier_events_are_not_kept() -> None:
    assert "earlier events are not kept" in lines(make_store(events=[event("A", str(each)) for each in range(20)]))[0]


def test_a_store_without_events_has_a_line_for_it() -> None:
    assert lines(make_store()) == ["No events yet."]


def test_the_overview_of_a_failed_store_has_its_error_and_the_hint() -> None:
    shown = [text_of(pieces) for pieces in overview(failed(attempts=3), UNICODE, START)]
    assert shown[0] == "shop-1  ✗ Failed  requested 0 s ago · WooCommerce · attempt 3"
    assert shown[-2:] == ["✗ health: ImagePullBackOff: no image", "→ Check the image."]


def test_the_overview_of_a_deleted_store_is_its_last_known_state() -> None:
    assert [text_of(each) for each in overview(as_deleted(failed()), UNICODE, START)] == [
        "shop-1  – Deleted  last known state"
    ]


@pytest.mark.parametrize(("index", "done"), [(1, 1), (5, 16), (0, 0), (9, 16)])
def test_the_meter_is_never_full_before_the_end(index: int, done: int) -> None:
    store = make_store(phase="Provisioning", progress={"step": "health", "index": index, "total": 5, "message": ""})
    meter = [text_of(pieces) for pieces in overview(store, UNICODE, START)][-1]
    assert (meter.count("━"), meter.count("━") + meter.count("─")) == (done, 18)
