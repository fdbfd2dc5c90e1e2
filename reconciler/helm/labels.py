"""The labels that Urumi puts on the Secret of a Helm release, and how such Secrets are selected."""

from __future__ import annotations

RELEASE_SELECTOR = "owner=helm"
# Also an annotation of the objects of a release: the digest of the chart and values that they were released with.
DIGEST_KEY = "urumi.ai/digest"
# The fencing token of the leader term whose Helm process wrote a revision.
EPOCH_KEY = "urumi.ai/epoch"
