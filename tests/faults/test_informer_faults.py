"""The fault matrix: after any fault of the connection the informer is correct soon, and never floods the API server.

`scenes` and `disasters` say what is done to the line, `scene` how it is played and what comes of it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from cluster.local import ClusterInfo
from reconciler.cache.reflector import Restart
from reconciler.cache.timeouts import InformerTimeouts
from testing.faults.call import lists
from tests.faults.cluster_faults import DISASTERS, OLD_PAGE, OLD_VERSION, Ruin
from tests.faults.fault_run import RECOVERY_SECONDS, Outcome, play
from tests.faults.proxy_faults import BY_NAME, RETRY_AFTER_SECONDS
from tests.faults.rotation import TOKEN_IN_TIME, TOKEN_TOO_LATE

OutcomeOf = Callable[[str], Outcome]


@pytest.fixture(scope="module")
def outcome_of(
    request: pytest.FixtureRequest, local_cluster: ClusterInfo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OutcomeOf]:
    """The outcome of a scene; the scenes of the selected tests play side by side."""
    wanted = sorted({name for item in request.session.items for name in scenes_of(item)})
    place = tmp_path_factory.mktemp
    ruin = Ruin(place("ruin"))
    # Disasters play one after the other, on a separate cluster.
    with ThreadPoolExecutor(max_workers=len(wanted)) as stages, ThreadPoolExecutor(max_workers=1) as ruins:
        playing = {
            name: ruins.submit(ruin.play, name, place("scene"))
            if name in DISASTERS
            else stages.submit(play, BY_NAME[name], local_cluster, place("scene"))
            for name in wanted
        }
        try:
            yield lambda name: playing[name].result()
        finally:
            ruins.submit(ruin.clear)


def scenes_of(item: pytest.Item) -> list[str]:
    """Return the scene that a collected test of this module is about."""
    if not isinstance(item, pytest.Function) or item.module.__name__ != __name__:
        return []
    return [str(item.callspec.params["name"])] if "name" in item.fixturenames else []


def scenes(*names: str) -> pytest.MarkDecorator:
    """Run a test for these scenes; of each class of faults one scene is enough for a newcomer."""
    return pytest.mark.parametrize(
        "name",
        [
            name if name in BY_NAME and BY_NAME[name].stands_for else pytest.param(name, marks=pytest.mark.thorough)
            for name in names
        ],
        ids=lambda name: name.replace(" ", "-"),
    )


@scenes(*BY_NAME, *DISASTERS)
def test_nothing_is_lost_or_stale_and_the_api_is_not_flooded(
    name: str, outcome_of: OutcomeOf, record_testsuite_property: Callable[[str, object], None]
) -> None:
    outcome = outcome_of(name)
    record_testsuite_property(name, outcome.sentence())
    assert (outcome.lost, outcome.stale, outcome.complaints) == (set(), set(), [])
    assert outcome.recovered_seconds <= RECOVERY_SECONDS
    assert outcome.marked_seconds <= RECOVERY_SECONDS
    assert outcome.steady_rate() <= 1.0
    assert outcome.most_calls_in(10.0) <= 10


@scenes("a black hole that leaves every stream dead")
def test_a_dead_stream_is_noticed_by_its_silence_and_the_age_of_the_copy_says_so(
    name: str, outcome_of: OutcomeOf
) -> None:
    outcome = outcome_of(name)
    assert outcome.restarts == {Restart.SILENT: 1}
    assert InformerTimeouts().silence_seconds - 1 <= outcome.oldest_silence_seconds <= RECOVERY_SECONDS


@scenes("a flood of clean ends")
def test_streams_that_end_before_they_say_anything_make_nothing_younger(name: str, outcome_of: OutcomeOf) -> None:
    outcome = outcome_of(name)
    assert outcome.oldest_silence_seconds > 5
    assert [call for call in outcome.calls_between(outcome.began_at, outcome.ended_at) if lists(call)]


@scenes("429 with Retry-After")
def test_the_api_is_not_asked_before_it_wants_to_be(name: str, outcome_of: OutcomeOf) -> None:
    calls = outcome_of(name).calls
    gaps = [after.at - before.at for before, after in pairwise(calls) if before.status == 429]
    assert min(gaps) >= RETRY_AFTER_SECONDS


@scenes("429 with nothing", "no server at all")
def test_a_server_that_is_overloaded_or_away_is_not_asked_for_lists(name: str, outcome_of: OutcomeOf) -> None:
    outcome = outcome_of(name)
    during = outcome.calls_between(outcome.began_at, outcome.ended_at)
    assert {call.verb for call in during} == {"watch"}


@scenes("events twice and late", "slow answers", "a black hole that ends")
def test_what_is_no_error_restarts_nothing(name: str, outcome_of: OutcomeOf) -> None:
    assert outcome_of(name).restarts == {}


@scenes("403")
def test_a_refusal_says_which_right_is_missing(name: str, outcome_of: OutcomeOf) -> None:
    expected = "configmaps is forbidden. Check the platform's rights (RBAC): it has to list and watch configmaps."
    assert outcome_of(name).last_error == expected


@scenes("404")
def test_an_unknown_kind_is_said_to_be_one(name: str, outcome_of: OutcomeOf) -> None:
    assert "does not serve configmaps of v1" in outcome_of(name).last_error


@scenes(TOKEN_TOO_LATE)
def test_a_refused_token_is_said_to_be_one_and_the_next_is_taken_from_the_file(
    name: str, outcome_of: OutcomeOf
) -> None:
    outcome = outcome_of(name)
    assert outcome.restarts[Restart.UNAUTHORIZED] >= 1
    assert "Check the kubeconfig or the service account" in outcome.last_error


@scenes(TOKEN_IN_TIME)
def test_a_token_that_was_replaced_in_time_costs_one_more_call(name: str, outcome_of: OutcomeOf) -> None:
    outcome = outcome_of(name)
    assert [call.status for call in outcome.calls if call.verb == "watch"] == [200, 401, 200]
    assert outcome.restarts == {Restart.UNREACHABLE: 1}


@scenes("200 in HTML")
def test_an_answer_that_is_none_is_quoted(name: str, outcome_of: OutcomeOf) -> None:
    assert "<h1>502 Bad Gateway</h1>" in outcome_of(name).last_error


@scenes(OLD_VERSION, OLD_PAGE)
def test_versions_that_are_no_more_lead_to_a_new_list(name: str, outcome_of: OutcomeOf) -> None:
    assert outcome_of(name).restarts[Restart.EXPIRED] == 1


def test_a_wait_and_a_deadline_are_below_the_promise() -> None:
    timeouts = InformerTimeouts()
    assert timeouts.silence_seconds < RECOVERY_SECONDS
    assert timeouts.answer_seconds + timeouts.longest_wait_seconds < RECOVERY_SECONDS
    assert timeouts.answer_seconds + timeouts.refused_wait_seconds < RECOVERY_SECONDS
