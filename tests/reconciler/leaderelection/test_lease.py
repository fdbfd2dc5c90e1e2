"""The Lease record: each write succeeds only on the record that was read."""

import pytest

from reconciler.leaderelection.lease import LEASE_NAME, LEASES, Lease, LeaseRecord
from testing.apiserver.server import ApiServer
from tests.reconciler.leaderelection.conftest import NAMESPACE, OtherReplica
from urumi.errors import ClusterError

pytestmark = pytest.mark.anyio


@pytest.fixture
def lease(server: ApiServer) -> Lease:
    """The Lease of the platform namespace."""
    return Lease(server, NAMESPACE)


async def acquired(lease: Lease) -> LeaseRecord:
    """Create the Lease and return its record."""
    record = await lease.write(LeaseRecord(), holder="us", fencing_token=1, seconds=0.3)
    assert record is not None
    return record


async def test_a_lease_that_does_not_exist_reads_as_an_empty_record(lease: Lease) -> None:
    assert await lease.read() == LeaseRecord()


async def test_the_record_that_was_written_is_the_one_that_is_read(lease: Lease) -> None:
    record = await acquired(lease)
    assert (record.holder, record.fencing_token) == ("us", 1)
    assert await lease.read() == record


async def test_kubernetes_gets_whole_seconds_and_at_least_one(lease: Lease) -> None:
    record = await acquired(lease)
    assert record.seconds == 1
    longer = await lease.write(record, holder="us", fencing_token=1, seconds=14.2)
    assert longer is not None
    assert longer.seconds == 15


async def test_a_lease_that_another_replica_created_is_not_overwritten(lease: Lease, other: OtherReplica) -> None:
    await other.take()
    assert await lease.write(LeaseRecord(), holder="us", fencing_token=1, seconds=1) is None
    assert (await lease.read()).holder == other.identity


async def test_a_lease_that_another_replica_changed_is_not_overwritten(lease: Lease, other: OtherReplica) -> None:
    record = await acquired(lease)
    await other.take()
    assert await lease.write(record, holder="us", fencing_token=1, seconds=1) is None
    assert (await lease.read()).holder == other.identity


async def test_a_lease_that_was_deleted_is_not_renewed(lease: Lease, server: ApiServer) -> None:
    record = await acquired(lease)
    await server.delete(LEASES, LEASE_NAME, NAMESPACE)
    assert await lease.write(record, holder="us", fencing_token=1, seconds=1) is None


async def test_any_other_error_is_raised(lease: Lease, server: ApiServer) -> None:
    server.fail("create", LEASES, ClusterError("leases is forbidden", status=403))
    with pytest.raises(ClusterError, match="leases is forbidden"):
        await acquired(lease)


async def test_a_lease_with_an_empty_spec_is_free(lease: Lease, server: ApiServer) -> None:
    await server.create(LEASES, {"metadata": {"name": LEASE_NAME}}, NAMESPACE)
    record = await lease.read()
    assert (record.holder, record.fencing_token, record.seconds) == ("", 0, 0)
    assert record.version
