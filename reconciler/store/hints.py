"""The hint for an operator whose store does not become ready, chosen by what the cluster and the containers report.

The patterns are messages of Kubernetes, containerd, MariaDB and Postgres. The first match wins, so a cause stands
before its consequences; without a match the hint is a general one.
"""

from __future__ import annotations

import re

_THEN = "The store then becomes Ready without a retry."
_HINTS = (
    (
        r"Access denied for user|password authentication failed",
        "Put the password that the database's volume was created with into the Secret store-secrets, under "
        f"database-password: the Secret holds another one. {_THEN}",
    ),
    (
        r"No space left on device|[Dd]isk full",
        f"Increase the size of the volume in spec.values, or free space on it: it is full. {_THEN}",
    ),
    (
        r"OOMKilled",
        "Raise resources.limits.memory of the container in spec.values: it needs more memory than its limit.",
    ),
    (
        r"exceeded quota",
        "Raise the platform's URUMI_STORE_QUOTA, or lower the requests in spec.values.",
    ),
    (
        r"ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName",
        "Check the name and tag of the image, that it was pushed, and that the nodes can reach its registry and are "
        f"allowed to pull it. {_THEN}",
    ),
    (
        r"volume claims pending",
        f"Check the storage class of the claims: kubectl get storageclass,pvc. {_THEN}",
    ),
    (
        r"Unschedulable",
        f"Add a node or delete other stores, so that the pod fits into the cluster. {_THEN}",
    ),
)
_GENERAL = "Fix the cause, retry, or delete the store. It becomes Ready as soon as its workloads are ready."


def hint_for(sentence: str) -> str:
    """Return the hint for a health sentence."""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, sentence)), _GENERAL)
