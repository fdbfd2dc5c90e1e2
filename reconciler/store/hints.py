"""What an operator does about a store that does not get ready, by the words of the cluster and of its containers.

The words are those of Kubernetes, containerd, MariaDB and Postgres; where none fits, the advice is a general one. They
are looked for in order, so the cause stands before what follows from it.
"""

from __future__ import annotations

import re

_GOES_ON = "The store becomes Ready by itself then."
_REMEDIES = (
    (
        r"Access denied for user|password authentication failed",
        "The database's volume was made with another password than the one in the Secret store-secrets: put it there, "
        f"under database-password. {_GOES_ON}",
    ),
    (
        r"No space left on device|[Dd]isk full",
        f"The volume is full: give it a larger size in spec.values, or make room on it. {_GOES_ON}",
    ),
    (
        r"OOMKilled",
        "The container needs more memory than its limit: raise its resources.limits.memory in spec.values.",
    ),
    (
        r"exceeded quota",
        "Raise STORE_QUOTA of the platform, or ask for less in spec.values.",
    ),
    (
        r"ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName",
        "Check the image's name and tag, that it was pushed, and that the nodes reach its registry and may log in. "
        f"{_GOES_ON}",
    ),
    (
        r"volume claims pending",
        f"Check the storage class of the claims: kubectl get storageclass,pvc. {_GOES_ON}",
    ),
    (
        r"Unschedulable",
        f"Give the cluster room for the pod, by a node or by fewer stores. {_GOES_ON}",
    ),
)
_GENERAL = "It becomes Ready by itself when its workloads do; fix the cause, retry, or delete the store."


def hint_for(sentence: str) -> str:
    """Return what to do about a health sentence."""
    return next((remedy for sign, remedy in _REMEDIES if re.search(sign, sentence)), _GENERAL)
