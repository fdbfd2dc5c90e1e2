"""Hints: each common failure has its own, and a cause wins over its consequences."""

import pytest

from reconciler.store.hints import hint_for


@pytest.mark.parametrize(
    ("sentence", "advice"),
    [
        pytest.param(
            "wordpress 0/1: pod w: CrashLoopBackOff container install, 2 restarts, last terminated with Error: "
            "install: the database refused the login: Access denied for user 'wordpress' (1045).",
            "under database-password",
            id="MariaDB's password",
        ),
        pytest.param(
            "backend 0/1: pod b: CrashLoopBackOff container migrate, last terminated with Error: urumi-migrate: the "
            'database refused the login: password authentication failed for user "medusa"',
            "under database-password",
            id="Postgres's password",
        ),
        pytest.param(
            "postgres 0/1: pod postgres-0: CrashLoopBackOff container postgres, last terminated with Error: initdb: "
            "error: could not write to file: No space left on device, backend 0/1: pod b: ImagePullBackOff shop:1",
            "Increase the size",
            id="a full volume, not what waits for it",
        ),
        pytest.param("postgres 0/1: pod postgres-0: CrashLoopBackOff container postgres, OOMKilled", "limits.memory"),
        pytest.param("redis 0/1: FailedCreate pods is forbidden: exceeded quota: urumi-quota", "STORE_QUOTA"),
        pytest.param("wordpress 0/1: pod w: ImagePullBackOff shop:1: no such host", "reach its registry"),
        pytest.param("mariadb 0/1: pod m: Unschedulable 0/1 nodes (volume claims pending: data)", "storageclass"),
        pytest.param("mariadb 0/1: pod m: Unschedulable 0/1 nodes: insufficient memory", "Add a node"),
        pytest.param("mariadb 0/1: no pod yet", "as soon as its workloads are ready"),
    ],
)
def test_the_hint_fits_the_cause(sentence: str, advice: str) -> None:
    assert advice in hint_for(sentence)
