"""Why an action would do nothing now; the same words dim its key and answer whoever presses it all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.text.values import SERVING_PHASES, web_address
from urumi.store import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from urumi.wire import Store

# What takes the server to do, and the rights to change something.
ASKING = frozenset({"new", "retry", "delete", "admin"})
ONE_AT_A_TIME = frozenset({"open_shop", "admin"})
NO_STORE = "There is no store under the cursor."

_NO_RETRY = {
    Phase.READY: "Nothing to retry: {} is Ready.",
    Phase.DELETING: "Nothing to retry: {} is being deleted.",
    Phase.DELETED: "Nothing to retry: {} is gone.",
}
_NO_DELETE = {
    Phase.DELETING: "{} is being deleted already.",
    Phase.DELETED: "Nothing to delete: {} is gone.",
}
_NO_ADMIN = {
    Phase.PENDING: "{} has no admin account yet: it is waiting for its turn.",
    Phase.DELETING: "{} is being deleted, and its admin account with it.",
    Phase.DELETED: "{} is gone, and its admin account with it.",
}


def why_nothing_is_asked(*, is_live: bool, read_only: bool) -> str:
    """Return why nothing can be asked of the server at all; empty where it can."""
    if read_only:
        return "This dashboard is read-only: it was started with --read-only or read_only = true."
    if not is_live:
        return "Nothing can be asked for while the server is out of reach. R tries to reach it now."
    return ""


def why_not(action: str, store: Store) -> str:
    """Return why the action would do nothing for this store; empty where it would do something."""
    name = store.store_id
    match action:
        case "retry":
            return _NO_RETRY.get(store.phase, "").format(name)
        case "delete":
            return _NO_DELETE.get(store.phase, "").format(name)
        case "open_shop":
            return _why_no_shop(store)
        case "copy_url" if not store.url:
            return f"{name} has no address yet."
        case "admin":
            return _NO_ADMIN.get(store.phase, "").format(name)
        case "copy_report" if not store.last_error:
            return f"Nothing to report: {name} has no error."
    return ""


def _why_no_shop(store: Store) -> str:
    if store.phase is Phase.DELETED:
        return f"{store.store_id} is gone."
    if not web_address(store.url):
        return f"{store.store_id} has no address yet."
    if store.simulated:
        return f"No shop answers at {store.store_id}: its containers are simulated. u copies the address."
    if store.phase not in SERVING_PHASES:
        return f"{store.store_id} does not answer yet: it is {store.phase}."
    return ""


def able(action: str, stores: Sequence[Store]) -> tuple[tuple[Store, ...], str]:
    """Return the stores for which the action does something, and why not where there is none."""
    if action in ONE_AT_A_TIME and len(stores) > 1:
        return (), f"One store at a time, and {len(stores)} are marked. Esc takes the marks away."
    reasons = [(store, why_not(action, store)) for store in stores]
    those = tuple(store for store, reason in reasons if not reason)
    if those:
        return those, ""
    if not reasons:
        return (), NO_STORE
    return (), reasons[0][1] if len(reasons) == 1 else f"None of the {len(reasons)} marked stores: {reasons[0][1]}"
