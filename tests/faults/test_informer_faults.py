"""The fault matrix: after any fault of the connection the informer recovers soon, and never floods the API server.

`proxy_faults` and `cluster_faults` define the cases, `fault_run` runs one and returns its outcome.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from cluster.local.cluster import ClusterInfo
from reconciler.cache.reflector import Restart
from reconciler.cache.timeouts import InformerTimeouts
from testing.faults.call import lists
from tests.faults.cluster_faults import CLUSTER_FAULTS, OLD_PAGE, OLD_VERSION, DisposableCluster
from tests.faults.fault_run import RECOVERY_SECONDS, Outcome, run_case
from tests.faults.proxy_faults import BY_NAME, RETRY_AFTER_SECONDS
from tests.faults.rotation import TOKEN_IN_TIME, TOKEN_TOO_LATE

OutcomeOf = Callable[[str], Outcome]


@pytest.fixture(scope="module")
def outcome_of(
    request: pytest.FixtureRequest, local_cluster: ClusterInfo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OutcomeOf]:
    """The outcome of a case by its name; the cases of the selected tests run in parallel."""
    wanted = sorted({name for item in request.session.items for name in case_of(item)})
    make_folder = tmp_path_factory.mktemp
    cluster = DisposableCluster(make_folder("cluster"))
    # The faults of a cluster run one after the other, on a separate cluster.
    with ThreadPoolExecutor(max_workers=len(wanted)) as parallel, ThreadPoolExecutor(max_workers=1) as serial:
        running = {
            name: serial.submit(cluster.run_case, name, make_folder("case"))
            if name in CLUSTER_FAULTS
            else parallel.submit(run_case, BY_NAME[name], local_cluster, make_folder("case"))
            for name in wanted
        }
        try:
            yield lambda name: running[name].result()
        finally:
            serial.submit(cluster.delete)


def case_of(item: pytest.Item) -> list[str]:
    """Return the case of a collected test of this module."""
    if not isinstance(item, pytest.Function) or item.module.__name__ != __name__:
        return []
    return [str(item.callspec.params["name"])] if "name" in item.fixturenames else []


def cases(*names: str) -> pytest.MarkDecorator:
    """Run a test for these cases; the default tier has one case of each class of faults."""
    return pytest.mark.parametrize(
        "name",
        [
            name if name in BY_NAME and BY_NAME[name].stands_for else pytest.param(name, marks=pytest.mark.thorough)
            for name in names
        ],
        ids=lambda name: name.replace(" ", "-"),
    )


@cases(*BY_NAME, *CLUSTER_FAULTS)
def test_nothing_is_lost_or_stale_and_the_api_is_not_flooded(
    name: str, outcome_of: OutcomeOf, record_testsuite_property: Callable[[str, object], None]
) -> None:
    outcome = outcome_of(name)
    record_testsuite_property(name, outcome.sentence())
    assert (outcome.lost, outcome.stale, outcome.inconsistencies) == (set(), set(), [])
    assert outcome.recovered_seconds <= RECOVERY_SECONDS
    assert outcome.last_write_seconds <= RECOVERY_SECONDS
    assert outcome.steady_rate() <= 1.0
    assert outcome.most_calls_in(10.0) <= 10


@cases("a black hole that leaves every stream dead")
def test_a_silent_stream_is_restarted_and_the_age_of_the_copy_shows_the_silence(
    name: str, outcome_of: OutcomeOf
) -> None:
    outcome = outcome_of(name)
    assert outcome.restarts == {Restart.SILENT: 1}
    assert InformerTimeouts().silence_seconds - 1 <= outcome.oldest_silence_seconds <= RECOVERY_SECONDS


@cases("a flood of clean ends")
def test_streams_that_end_without_a_line_do_not_reset_the_age_of_the_copy(name: str, outcome_of: OutcomeOf) -> None:
    outcome = outcome_of(name)
    assert outcome.oldest_silence_seconds > 5
    assert [call for call in outcome.calls_between(outcome.began_at, outcome.ended_at) if lists(call)]


@cases("429 with Retry-After")
def test_no_call_is_made_before_the_time_of_retry_after(name: str, outcome_of: OutcomeOf) -> None:
    calls = outcome_of(name).calls
    gaps = [after.at - before.at for before, after in pairwise(calls) if before.status == 429]
    assert min(gaps) >= RETRY_AFTER_SECONDS


@cases("429 with nothing", "no server at all")
def test_an_overloaded_or_unreachable_server_gets_no_list_calls(name: str, outcome_of: OutcomeOf) -> None:
    outcome = outcome_of(name)
    during = outcome.calls_between(outcome.began_at, outcome.ended_at)
    assert {call.verb for call in during} == {"watch"}


@cases("events twice and late", "slow answers", "a black hole that ends")
def test_a_condition_that_is_no_error_restarts_nothing(name: str, outcome_of: OutcomeOf) -> None:
    assert outcome_of(name).restarts == {}


@cases("403")
def test_a_forbidden_response_names_the_missing_permission(name: str, outcome_of: OutcomeOf) -> None:
    expected = "configmaps is forbidden. Check the platform's rights (RBAC): it has to list and watch configmaps."
    assert outcome_of(name).last_error == expected


@cases("404")
def test_an_unknown_kind_is_reported_as_unknown(name: str, outcome_of: OutcomeOf) -> None:
    assert "does not serve configmaps of v1" in outcome_of(name).last_error


@cases(TOKEN_TOO_LATE)
def test_a_rejected_token_is_reported_and_the_next_one_is_read_from_the_file(name: str, outcome_of: OutcomeOf) -> None:
    outcome = outcome_of(name)
    assert outcome.restarts[Restart.UNAUTHORIZED] >= 1
    assert "Check the kubeconfig or the service account" in outcome.last_error


@cases(TOKEN_IN_TIME)
def test_a_token_that_is_replaced_in_time_costs_one_more_call(name: str, outcome_of: OutcomeOf) -> None:
    outcome = outcome_of(name)
    assert [call.status for call in outcome.calls if call.verb == "watch"] == [200, 401, 200]
    assert outcome.restarts == {Restart.UNREACHABLE: 1}


@cases("200 in HTML")
def test_a_response_that_is_not_from_kubernetes_is_quoted(name: str, outcome_of: OutcomeOf) -> None:
    assert "<h1>502 Bad Gateway</h1>" in outcome_of(name).last_error


@cases(OLD_VERSION, OLD_PAGE)
def test_an_expired_version_causes_a_new_list(name: str, outcome_of: OutcomeOf) -> None:
    assert outcome_of(name).restarts[Restart.EXPIRED] == 1


def test_waits_and_deadlines_are_shorter_than_the_promised_recovery() -> None:
    timeouts = InformerTimeouts()
    assert timeouts.silence_seconds < RECOVERY_SECONDS
    assert timeouts.answer_seconds + timeouts.longest_wait_seconds < RECOVERY_SECONDS
    assert timeouts.answer_seconds + timeouts.refused_wait_seconds < RECOVERY_SECONDS
