"""Why an action is unavailable now. The same reason dims its key and is shown when the key is pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.model.phases import SERVING_PHASES
from tui.text.values import web_address
from urumi.store import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from urumi.wire import Store

SERVER_ACTIONS = frozenset({"new", "retry", "delete", "admin"})  # they call the server; not for read-only use
SINGLE_STORE_ACTIONS = frozenset({"open_shop", "admin"})
NO_STORE = "No store under the cursor."

_NO_RETRY = {
    Phase.READY: "Nothing to retry: {} is Ready.",
    Phase.DELETING: "Nothing to retry: {} is being deleted.",
    Phase.DELETED: "Nothing to retry: {} is deleted.",
}
_NO_DELETE = {
    Phase.DELETING: "{} is already being deleted.",
    Phase.DELETED: "Nothing to delete: {} is already deleted.",
}
_NO_ADMIN = {
    Phase.PENDING: "{} has no admin account yet: it is waiting in the queue.",
    Phase.DELETING: "The admin account of {} is being deleted with the store.",
    Phase.DELETED: "The admin account of {} was deleted with the store.",
}


def why_no_calls(*, is_live: bool, read_only: bool) -> str:
    """Return why no call to the server is possible; empty if it is."""
    if read_only:
        return "The dashboard is read-only. Start it without --read-only and with read_only = false."
    if not is_live:
        return "Server unreachable. Press R to reconnect."
    return ""


def why_not(action: str, store: Store) -> str:
    """Return why the action is unavailable for this store; empty if it is available."""
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
        return f"{store.store_id} is deleted."
    if not web_address(store.url):
        return f"{store.store_id} has no address yet."
    if store.simulated:
        return f"No shop is running at {store.store_id}: its containers are simulated. Press u to copy the address."
    if store.phase not in SERVING_PHASES:
        return f"The shop of {store.store_id} is not running: the store is {store.phase}."
    return ""


def available_for(action: str, stores: Sequence[Store]) -> tuple[tuple[Store, ...], str]:
    """Return the stores for which the action is available, or the reason why there are none."""
    if action in SINGLE_STORE_ACTIONS and len(stores) > 1:
        return (), f"Only one store at a time; {len(stores)} are marked. Press esc to unmark them."
    reasons = [(store, why_not(action, store)) for store in stores]
    available = tuple(store for store, reason in reasons if not reason)
    if available:
        return available, ""
    if not reasons:
        return (), NO_STORE
    return (), reasons[0][1] if len(
        reasons
    ) == 1 else f"Not available for any of the {len(reasons)} marked stores. {reasons[0][1]}"
