/**
 * The signed-in page: one feed, one book, one view, and the parts that show them.
 *
 * `paint` is the only place that writes to the parts; whatever happens asks for it, and it runs once for all of it.
 *
 * @typedef {import("./store_cache.js").FeedEvent} FeedEvent
 * @typedef {import("./store_cache.js").Store} Store
 * @typedef {import("./view.js").View} View
 */
import { retryStore, whyNotLive } from "./api.js";
import { Book } from "./store_cache.js";
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
import { StatusLine, staleWords, titleWords } from "./status.js";
import { filterOf, readView, viewHash } from "./view.js";
import { Voice } from "./announcer.js";

const HIDDEN_TAB_PAINT_MS = 1000;

export class Dashboard {
  #isOn = false;
  #isPaintAsked = false;
  #isFilterNew = true;
  /** @type {Set<string>} */
  #changed = new Set();
  #askedFor = "";
  #ticker = 0;

  /** @param {() => void} onRefused when the server does not know us any more */
  constructor(onRefused) {
    this.onRefused = onRefused;
    this.book = new Book();
    this.view = readView(location.hash);
    this.voice = new Voice();
    this.feed = new LiveFeed((event) => this.#hear(event), whyNotLive);
    this.list = new StoreList({ onOpen: (storeId) => this.#open(storeId), onLeave: () => this.filters.focus() });
    this.filters = new FilterBar({
      onText: (q) => this.#look({ q }),
      onPhase: (phase) => this.#togglePhase(phase),
      onSort: (sort) => this.#look({ sort }),
      onDown: () => this.list.focus(),
    });
    this.panel = new StorePanel({
      onClose: () => this.#close(),
      onRetry: (store) => this.#retry(store),
      onDelete: (store) => this.deleting.open(store, staleWords(this.book)),
      onAccount: (store) => this.account.open(store),
      onCopy: copy,
    });
    this.status = new StatusLine(() => this.feed.hurry());
    this.creating = new CreateDialog((storeId, isNew) => this.#created(storeId, isNew));
    this.deleting = new DeleteDialog((storeId, wasThere) => this.#deleted(storeId, wasThere));
    this.account = new CredentialsDialog();
    this.#listen();
  }

  /** Go live. */
  start() {
    if (this.#isOn) return;
    this.#isOn = true;
    this.view = readView(location.hash);
    this.#isFilterNew = true;
    this.feed.start();
    this.#ticker = setInterval(() => this.#tick(), 1000);
    this.#askPaint();
  }

  /** Hang up and forget everything that was shown. */
  stop() {
    this.#isOn = false;
    this.feed.stop();
    clearInterval(this.#ticker);
    dismissNotice();
    for (const dialog of [this.creating, this.deleting, this.account]) dialog.close();
    this.list.update(new Map(), this.book.stores.keys());
    this.book = new Book();
    this.panel.update("", undefined);
    this.#changed.clear();
    this.voice = new Voice();
  }

  #listen() {
    for (const id of ["new-store", "first-store"])
      byId(id).addEventListener("click", () => this.creating.open(this.book.stores));
    byId("show-all").addEventListener("click", () => this.#showAll());
    byId("notice-close").addEventListener("click", dismissNotice);
    byId("skip").addEventListener("click", (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!this.list.focus()) this.filters.focus();
    });
    addEventListener("hashchange", () => this.#follow());
    addEventListener("keydown", (event) => this.#press(event));
    addEventListener("online", () => this.feed.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.feed.hurry());
  }

  /** @param {FeedEvent} event */
  #hear(event) {
    for (const storeId of this.book.apply(event)) this.#changed.add(storeId);
    if (event.kind === "link" && event.link.state === "refused") this.onRefused();
    else this.#askPaint();
  }

  #askPaint() {
    if (this.#isPaintAsked) return;
    this.#isPaintAsked = true;
    if (document.hidden) setTimeout(() => this.#paint(), HIDDEN_TAB_PAINT_MS);
    else requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#isPaintAsked = false;
    if (!this.#isOn) return;
    const { stores } = this.book;
    if (this.#isFilterNew) this.list.filter(filterOf(this.view), this.view.sort);
    this.#isFilterNew = false;
    this.list.update(stores, this.#changed);
    this.#changed.clear();
    this.list.select(this.view.store);
    this.filters.select(this.view);
    this.filters.update(this.book.counts());
    this.list.explain(this.book.heardAt > 0);
    document.body.classList.toggle("has-picture", this.book.heardAt > 0);
    this.#paintPanel();
    this.status.update(this.book);
    document.title = titleWords(this.book, this.view.store);
    this.voice.follow(this.book, this.view.store);
  }

  #paintPanel() {
    const { store: storeId } = this.view;
    const store = this.book.stores.get(storeId);
    if (store && storeId === this.#askedFor) this.#askedFor = "";
    document.body.classList.toggle("has-store", storeId !== "");
    this.panel.update(storeId, store, this.#blankWords(storeId));
  }

  /** @param {string} storeId */
  #blankWords(storeId) {
    if (!this.book.heardAt) return "Asking the server…";
    if (storeId === this.#askedFor) return "It was asked for. Its first words are on their way.";
    return "There is no such store. It may have been deleted.";
  }

  #tick() {
    if (document.hidden) return;
    const now = Date.now();
    this.list.tick(now);
    this.panel.tick(now);
    this.status.update(this.book);
  }

  /**
   * Change the view in place; only opening and closing a store make steps for the Back button.
   * @param {Partial<View>} change
   */
  #look(change) {
    this.view = { ...this.view, ...change };
    history.replaceState(null, "", viewHash(this.view));
    this.#isFilterNew = true;
    this.#askPaint();
  }

  /** Follow the address: the Back button, a link, or a person who edits it. */
  #follow() {
    this.view = readView(location.hash);
    this.#isFilterNew = true;
    this.#askPaint();
  }

  /** @param {string} phase */
  #togglePhase(phase) {
    const phases = new Set(this.view.phases);
    if (!phases.delete(phase)) phases.add(phase);
    this.#look({ phases });
    requestAnimationFrame(() => announce(`${plural(this.list.shownCount(), "store")} shown.`));
  }

  #showAll() {
    this.filters.clear();
    this.#look({ q: "", phases: new Set() });
    this.filters.focus();
  }

  /** @param {string} storeId */
  #open(storeId) {
    location.hash = viewHash({ ...this.view, store: storeId });
    this.#follow();
    requestAnimationFrame(() => this.panel.focus());
  }

  #close() {
    if (!this.view.store) return;
    location.hash = viewHash({ ...this.view, store: "" });
    this.#follow();
    requestAnimationFrame(() => this.list.focus() || this.filters.focus());
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.key !== "Escape" || event.defaultPrevented || !this.#isOn || document.querySelector("dialog[open]")) return;
    if (dismissNotice()) return;
    const isTypedFilter = event.target === this.filters.field && this.view.q !== "";
    if (isTypedFilter) this.filters.clear();
    if (isTypedFilter) this.#look({ q: "" });
    else this.#close();
    event.preventDefault();
  }

  /** @param {Store} store */
  async #retry({ storeId, uid }) {
    try {
      await retryStore(storeId, uid);
      notify(`${storeId} is tried again now.`);
    } catch (thrown) {
      const { detail, hint } = asProblem(thrown);
      notify([`${storeId} was not retried.`, detail, hint].filter(Boolean).join(" "), "error");
    }
  }

  /**
   * @param {string} storeId
   * @param {boolean} isNew
   */
  #created(storeId, isNew) {
    this.#askedFor = storeId;
    this.#open(storeId);
    notify(isNew ? `${storeId} was asked for.` : `${storeId} was there already; here it is.`);
  }

  /**
   * @param {string} storeId
   * @param {boolean} wasThere
   */
  #deleted(storeId, wasThere) {
    notify(wasThere ? `${storeId} is being deleted.` : `${storeId} was gone already.`);
  }
}
