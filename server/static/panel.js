/**
 * The panel of one store. Its elements are in the markup; an update writes only the texts that differ, so that focus,
 * selection and scroll position stay. A deleted store stays readable in its last known state.
 *
 * @typedef {import("./storecache.js").Store} Store
 */
import { byId, el, fieldsOf, setAttribute, setText, show } from "./dom.js";
import { addressNote, showAddress, showFacts } from "./facts.js";
import { age, clock, millis } from "./format.js";
import { drawIcon, icon } from "./icons.js";
import { ConditionList, EventTimeline } from "./timeline.js";

const NO_RETRY = new Map([
  ["Ready", "Nothing to retry: the store is Ready."],
  ["Deleting", "Nothing to retry: the store is being deleted."],
  ["Deleted", "Nothing to retry: the store was deleted."],
]);

export class StorePanel {
  /** @type {Store | null} */
  #store = null;
  #deletedAt = 0;

  /** @param {{onClose: () => void, onRetry: (store: Store) => void, onDelete: (store: Store) => void, onAccount: (store: Store) => void, onCopy: (text: string, what: string) => void}} handlers */
  constructor({ onClose, onRetry, onDelete, onAccount, onCopy }) {
    this.element = byId("panel");
    this.article = byId("panel-store");
    this.blank = byId("panel-blank");
    this.fields = fieldsOf(this.element);
    this.timeline = new EventTimeline(this.fields.timeline);
    this.conditions = new ConditionList(this.fields.conditions);
    this.glyph = icon("Pending");
    this.word = el("span");
    this.fields.phase.append(this.glyph, this.word);
    this.#listen("close", onClose);
    this.#listen("retry", (store) => this.#retryRefusal() || onRetry(store));
    this.#listen("delete", (store) => this.#deleteRefusal() || onDelete(store));
    this.#listen("account", onAccount);
    this.#listen("copyId", (store) => onCopy(store.storeId, "id"));
    this.#listen("copyUrl", (store) => onCopy(store.url ?? "", "URL"));
  }

  /**
   * Show the selected store.
   * @param {string} storeId empty if none is selected
   * @param {Store | undefined} store
   * @param {string} [blankText] the text for a selected store that is not known
   */
  update(storeId, store, blankText = "") {
    if (store) this.#deletedAt = 0;
    else if (this.#store?.storeId === storeId) this.#deletedAt ||= Date.now();
    if (store || this.#store?.storeId !== storeId) this.#store = store ?? null;
    const hadFocus = this.blank.contains(document.activeElement);
    show(this.article, this.#store !== null);
    show(this.blank, this.#store === null);
    if (this.#store) this.#show(this.#store);
    else this.#showBlank(storeId, blankText);
    if (this.#store && hadFocus) this.focus();
  }

  /** Put the focus on the store's name. */
  focus() {
    (this.#store ? this.fields.storeId : this.fields.blankTitle).focus();
  }

  /**
   * Update the ages.
   * @param {number} now
   */
  tick(now) {
    const store = this.#store;
    if (!store) return;
    setText(this.fields.since, sinceText(store, now));
    const { lastError } = store;
    const retryAt = millis(store.nextRetryAt);
    const next = retryAt > now && store.phase !== "Ready" ? `Next attempt in ${age((retryAt - now) / 1000)}.` : "";
    const attempts = store.attempts ? `Attempt ${store.attempts}.` : "";
    const when = lastError?.at ? `${clock(millis(lastError.at), now)}.` : "";
    setText(this.fields.errorWhen, [when, attempts, next].filter(Boolean).join(" "));
  }

  /**
   * @param {string} name
   * @param {(store: Store) => void} act
   */
  #listen(name, act) {
    this.fields[name].addEventListener("click", () => this.#store && act(this.#store));
  }

  /**
   * @param {string} storeId
   * @param {string} text
   */
  #showBlank(storeId, text) {
    setText(this.fields.blankTitle, storeId || "No store selected");
    setText(this.fields.blankText, storeId ? text : "Select a store to see its progress and timeline.");
  }

  /** @param {Store} store */
  #show(store) {
    const phase = this.#deletedAt ? "Deleted" : store.phase;
    setText(this.fields.storeId, store.storeId);
    drawIcon(this.glyph, phase);
    setText(this.word, phase);
    setAttribute(this.article, "data-phase", phase);
    this.#showDeleted(store);
    this.#showActions();
    this.#showProgress(store);
    this.#showError(store);
    this.#showAddresses(store);
    this.timeline.update(store.events ?? []);
    show(this.fields.timelineEmpty, !store.events?.length);
    this.conditions.update(store.conditions ?? []);
    show(this.fields.conditionsEmpty, !store.conditions?.length);
    showFacts(this.fields.facts, store);
    this.tick(Date.now());
  }

  /** @param {Store} store */
  #showDeleted({ storeId }) {
    show(this.fields.deletedNote, this.#deletedAt > 0);
    const at = this.#deletedAt ? clock(this.#deletedAt) : "";
    setText(this.fields.deletedNote, at && `${storeId} was deleted at ${at}. This is its last known state.`);
    setAttribute(this.article, "data-deleted", this.#deletedAt > 0);
  }

  #showActions() {
    const why = this.#retryRefusal();
    setAttribute(this.fields.retry, "aria-disabled", why ? "true" : null);
    setAttribute(this.fields.retry, "aria-describedby", why ? "off-reason" : null);
    setText(this.fields.offReason, why || this.#deleteRefusal());
    setAttribute(this.fields.delete, "aria-disabled", this.#deleteRefusal() ? "true" : null);
    setAttribute(this.fields.delete, "aria-describedby", this.#deleteRefusal() ? "off-reason" : null);
  }

  #retryRefusal() {
    if (this.#deletedAt) return "Nothing to retry: the store was deleted.";
    return NO_RETRY.get(this.#store?.phase ?? "") ?? "";
  }

  #deleteRefusal() {
    if (this.#deletedAt) return "Nothing to delete: the store was deleted.";
    return this.#store?.phase === "Deleting" ? "The store is already being deleted." : "";
  }

  /** @param {Store} store */
  #showProgress({ phase, progress }) {
    const shown = Boolean(progress) && phase !== "Ready" && !this.#deletedAt;
    show(this.fields.progress, shown);
    if (!progress || !shown) return;
    const step = `step ${progress.index} of ${progress.total}: ${progress.step}`;
    setText(this.fields.progressStep, progressTitle(phase, step));
    this.fields.meter.max = Math.max(1, progress.total);
    this.fields.meter.value = progress.index;
    show(this.fields.meter, phase !== "Degraded");
    setText(this.fields.progressMessage, progress.message ?? "");
  }

  /** @param {Store} store */
  #showError({ lastError }) {
    show(this.fields.lastError, Boolean(lastError));
    if (!lastError) return;
    setText(this.fields.errorReason, lastError.step ? `${lastError.reason} in step ${lastError.step}` : lastError.reason);
    setText(this.fields.errorMessage, lastError.message);
    show(this.fields.errorHint, Boolean(lastError.hint));
    setText(this.fields.errorHintText, lastError.hint ?? "");
  }

  /** @param {Store} store */
  #showAddresses(store) {
    showAddress(this.fields.shop, store.url, store);
    showAddress(this.fields.admin, store.adminUrl, store);
    show(this.fields.copyUrl, Boolean(store.url));
    show(this.fields.account, !this.#deleteRefusal());
    setText(this.fields.addressNote, addressNote(store));
  }
}

/**
 * @param {string} phase
 * @param {string} step
 */
function progressTitle(phase, step) {
  if (phase === "Degraded") return "No longer healthy";
  if (phase === "Failed") return `Stopped at ${step}`;
  return step.charAt(0).toUpperCase() + step.slice(1);
}

/**
 * @param {Store} store
 * @param {number} now
 */
function sinceText(store, now) {
  const readyAt = millis(store.readyAt);
  if (store.phase === "Ready" && readyAt) return `for ${age((now - readyAt) / 1000)}`;
  const createdAt = millis(store.createdAt);
  return Number.isNaN(createdAt) ? "" : `created ${age((now - createdAt) / 1000)} ago`;
}
