"""Another replica that holds or takes the lease of the elector under test."""

import secrets

import pytest

from reconciler.leaderelection.lease import Lease, LeaseRecord
from testing.apiserver.server import ApiServer

NAMESPACE = "store-platform"


class OtherReplica:
    """Writes the Lease as another replica does."""

    def __init__(self, server: ApiServer) -> None:
        self.identity = f"other_1_1_space_{secrets.token_hex(3)}"
        self._lease = Lease(server.as_manager("other"), NAMESPACE)

    async def read(self) -> LeaseRecord:
        """Return the Lease."""
        return await self._lease.read()

    async def take(self, holder: str = "") -> None:
        """Write itself, or another holder, with the next fencing token; the current holder does not matter."""
        known = await self._lease.read()
        token = known.fencing_token + 1
        assert await self._lease.write(known, holder=holder or self.identity, fencing_token=token, seconds=1.0)


@pytest.fixture
def server() -> ApiServer:
    """A server with the platform namespace."""
    return ApiServer(NAMESPACE)


@pytest.fixture
def other(server: ApiServer) -> OtherReplica:
    """The other replica."""
    return OtherReplica(server)
