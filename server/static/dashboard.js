/**
 * The dashboard of a signed-in user: one feed, one store cache, one view, and the parts that show them.
 *
 * `#paint` is the only place that updates the parts; every change requests it, and it runs once for all of them.
 *
 * @typedef {import("./storecache.js").FeedEvent} FeedEvent
 * @typedef {import("./storecache.js").Store} Store
 * @typedef {import("./view.js").View} View
 */
import { Announcer } from "./announcer.js";
import { retryStore, whyNotLive } from "./api.js";
import { CreateDialog } from "./create.js";
import { CredentialsDialog } from "./credentials.js";
import { DeleteDialog } from "./delete.js";
import { asProblem } from "./dialogs.js";
import { byId } from "./dom.js";
import { FilterBar } from "./filterbar.js";
import { plural } from "./format.js";
import { StoreList } from "./list.js";
import { LiveFeed } from "./live.js";
import { announce, copy, dismissNotice, notify } from "./notice.js";
import { StorePanel } from "./panel.js";
import { StatusLine, staleText, titleText } from "./status.js";
import { StoreCache } from "./storecache.js";
import { filterOf, readView, viewHash } from "./view.js";

const HIDDEN_TAB_PAINT_MS = 1000;

export class Dashboard {
  #isOn = false;
  #isPaintRequested = false;
  #isFilterNew = true;
  /** @type {Set<string>} */
  #changed = new Set();
  #requestedId = "";
  #ticker = 0;

  /** @param {() => void} onRefused called when the server no longer accepts the session */
  constructor(onRefused) {
    this.onRefused = onRefused;
    this.cache = new StoreCache();
    this.view = readView(location.hash);
    this.announcer = new Announcer();
    this.feed = new LiveFeed((event) => this.#receive(event), whyNotLive);
    this.list = new StoreList({ onOpen: (storeId) => this.#open(storeId), onExit: () => this.filters.focus() });
    this.filters = new FilterBar({
      onText: (q) => this.#changeView({ q }),
      onPhase: (phase) => this.#togglePhase(phase),
      onSort: (sort) => this.#changeView({ sort }),
      onDown: () => this.list.focus(),
    });
    this.panel = new StorePanel({
      onClose: () => this.#close(),
      onRetry: (store) => this.#retry(store),
      onDelete: (store) => this.deleting.open(store, staleText(this.cache)),
      onAccount: (store) => this.account.open(store),
      onCopy: copy,
    });
    this.status = new StatusLine(() => this.feed.hurry());
    this.creating = new CreateDialog((storeId, isNew) => this.#created(storeId, isNew));
    this.deleting = new DeleteDialog((storeId, existed) => this.#deleted(storeId, existed));
    this.account = new CredentialsDialog();
    this.#listen();
  }

  /** Connect and show the stores. */
  start() {
    if (this.#isOn) return;
    this.#isOn = true;
    this.view = readView(location.hash);
    this.#isFilterNew = true;
    this.feed.start();
    this.#ticker = setInterval(() => this.#tick(), 1000);
    this.#requestPaint();
  }

  /** Disconnect and clear everything that was shown. */
  stop() {
    this.#isOn = false;
    this.feed.stop();
    clearInterval(this.#ticker);
    dismissNotice();
    for (const dialog of [this.creating, this.deleting, this.account]) dialog.close();
    this.list.update(new Map(), this.cache.stores.keys());
    this.cache = new StoreCache();
    this.panel.update("", undefined);
    this.#changed.clear();
    this.announcer = new Announcer();
  }

  #listen() {
    for (const id of ["new-store", "first-store"])
      byId(id).addEventListener("click", () => this.creating.open(this.cache.stores));
    byId("show-all").addEventListener("click", () => this.#showAll());
    byId("notice-close").addEventListener("click", dismissNotice);
    byId("skip").addEventListener("click", (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!this.list.focus()) this.filters.focus();
    });
    addEventListener("hashchange", () => this.#applyAddress());
    addEventListener("keydown", (event) => this.#press(event));
    addEventListener("online", () => this.feed.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.feed.hurry());
  }

  /** @param {FeedEvent} event */
  #receive(event) {
    for (const storeId of this.cache.apply(event)) this.#changed.add(storeId);
    if (event.kind === "connection" && event.connection.state === "refused") this.onRefused();
    else this.#requestPaint();
  }

  #requestPaint() {
    if (this.#isPaintRequested) return;
    this.#isPaintRequested = true;
    if (document.hidden) setTimeout(() => this.#paint(), HIDDEN_TAB_PAINT_MS);
    else requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#isPaintRequested = false;
    if (!this.#isOn) return;
    const { stores } = this.cache;
    if (this.#isFilterNew) this.list.filter(filterOf(this.view), this.view.sort);
    this.#isFilterNew = false;
    this.list.update(stores, this.#changed);
    this.#changed.clear();
    this.list.select(this.view.store);
    this.filters.select(this.view);
    this.filters.update(this.cache.counts());
    this.list.explain(this.cache.lastResponseAt > 0);
    document.body.classList.toggle("has-snapshot", this.cache.lastResponseAt > 0);
    this.#paintPanel();
    this.status.update(this.cache);
    document.title = titleText(this.cache, this.view.store);
    this.announcer.update(this.cache, this.view.store);
  }

  #paintPanel() {
    const { store: storeId } = this.view;
    const store = this.cache.stores.get(storeId);
    if (store && storeId === this.#requestedId) this.#requestedId = "";
    document.body.classList.toggle("has-store", storeId !== "");
    this.panel.update(storeId, store, this.#blankText(storeId));
  }

  /** @param {string} storeId */
  #blankText(storeId) {
    if (!this.cache.lastResponseAt) return "Loading…";
    if (storeId === this.#requestedId) return "Requested. Waiting for its first status.";
    return "No store with this id. It may have been deleted.";
  }

  #tick() {
    if (document.hidden) return;
    const now = Date.now();
    this.list.tick(now);
    this.panel.tick(now);
    this.status.update(this.cache);
  }

  /**
   * Change the view in place; only opening and closing a store add history entries for the Back button.
   * @param {Partial<View>} change
   */
  #changeView(change) {
    this.view = { ...this.view, ...change };
    history.replaceState(null, "", viewHash(this.view));
    this.#isFilterNew = true;
    this.#requestPaint();
  }

  /** Apply the address, after the Back button, a link or an edit of the address. */
  #applyAddress() {
    this.view = readView(location.hash);
    this.#isFilterNew = true;
    this.#requestPaint();
  }

  /** @param {string} phase */
  #togglePhase(phase) {
    const phases = new Set(this.view.phases);
    if (!phases.delete(phase)) phases.add(phase);
    this.#changeView({ phases });
    requestAnimationFrame(() => announce(`${plural(this.list.shownCount(), "store")} shown.`));
  }

  #showAll() {
    this.filters.clear();
    this.#changeView({ q: "", phases: new Set() });
    this.filters.focus();
  }

  /** @param {string} storeId */
  #open(storeId) {
    location.hash = viewHash({ ...this.view, store: storeId });
    this.#applyAddress();
    requestAnimationFrame(() => this.panel.focus());
  }

  #close() {
    if (!this.view.store) return;
    location.hash = viewHash({ ...this.view, store: "" });
    this.#applyAddress();
    requestAnimationFrame(() => this.list.focus() || this.filters.focus());
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.key !== "Escape" || event.defaultPrevented || !this.#isOn || document.querySelector("dialog[open]")) return;
    if (dismissNotice()) return;
    const clearsFilter = event.target === this.filters.field && this.view.q !== "";
    if (clearsFilter) this.filters.clear();
    if (clearsFilter) this.#changeView({ q: "" });
    else this.#close();
    event.preventDefault();
  }

  /** @param {Store} store */
  async #retry({ storeId, uid }) {
    try {
      await retryStore(storeId, uid);
      notify(`Retrying ${storeId} now.`);
    } catch (thrown) {
      const { detail, hint } = asProblem(thrown);
      notify([`Could not retry ${storeId}.`, detail, hint].filter(Boolean).join(" "), "error");
    }
  }

  /**
   * @param {string} storeId
   * @param {boolean} isNew
   */
  #created(storeId, isNew) {
    this.#requestedId = storeId;
    this.#open(storeId);
    notify(isNew ? `Store ${storeId} requested.` : `Store ${storeId} already exists.`);
  }

  /**
   * @param {string} storeId
   * @param {boolean} existed
   */
  #deleted(storeId, existed) {
    notify(existed ? `${storeId} is being deleted.` : `${storeId} was already deleted.`);
  }
}
