"""The state of a store's Helm release, read from the labels of Helm's own Secrets: no process, no decoding.

Helm keeps one Secret per revision, labelled with name, version and status. A release whose newest revision is
`pending-*` is locked: Helm refuses to work on it. If its writer has ended, `unlock` marks that revision `failed`, which
is what Helm itself does on an orderly interruption. A locked release is never uninstalled.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.helm.labels import DIGEST_KEY, EPOCH_KEY
from reconciler.kube.resources import SECRETS, Object, labels_of, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.kube.client import Kube


@dataclass(frozen=True, slots=True)
class ReleaseState:
    """The newest revision of a release."""

    secret: str
    revision: int
    status: str
    digest: str
    fencing_token: int
    modified_at: float

    @property
    def is_pending(self) -> bool:
        """Return whether a Helm process is working on the release, or ended without finishing."""
        return self.status.startswith("pending-") or self.status == "uninstalling"

    def is_deployed(self, digest: str) -> bool:
        """Return whether exactly this content is deployed."""
        return self.status == "deployed" and self.digest == digest

    def age_seconds(self) -> float:
        """Return how long ago the revision was last written."""
        return max(0.0, time.time() - self.modified_at)


def newest_revision(secrets: Mapping[str, Object], release: str) -> ReleaseState | None:
    """Return the state of a release from the Secrets of its namespace by name, None if there is no such release."""
    prefix = f"sh.helm.release.v1.{release}.v"
    states = []
    for name, secret in secrets.items():
        if name.startswith(prefix):
            labels = labels_of(secret)
            state = ReleaseState(
                secret=name_of(secret),
                revision=int(labels.get("version", "0")),
                status=labels.get("status", ""),
                digest=labels.get(DIGEST_KEY, ""),
                fencing_token=int(labels.get(EPOCH_KEY, "0")),
                modified_at=float(labels.get("modifiedAt") or labels.get("createdAt") or 0),
            )
            states.append(state)
    return max(states, key=lambda state: state.revision, default=None)


async def unlock(kube: Kube, namespace: str, state: ReleaseState) -> bool:
    """Mark a pending revision `failed`; return False if its status has changed since it was read."""
    secret = await kube.get(SECRETS, state.secret, namespace)
    if secret is None or labels_of(secret).get("status") != state.status:
        return False
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    release["info"]["status"] = "failed"
    release["info"]["description"] = "marked failed by Urumi: the Helm process that wrote this revision has ended"
    packed = base64.b64encode(gzip.compress(json.dumps(release).encode()))
    secret["data"]["release"] = base64.b64encode(packed).decode()
    secret["metadata"]["labels"]["status"] = "failed"
    await kube.replace(SECRETS, secret)
    return True
