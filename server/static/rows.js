/**
 * The rows on the page: those of the first stores of the list, as far down as they are needed.
 *
 * The rows that fill the screen are placed at once, up to a thousand while the browser is idle, the rest when the user
 * scrolls, moves or prints that far. A row is created once and kept as long as its store exists.
 *
 * @typedef {import("./storecache.js").Store} Store
 */
import { byId, setAttribute, setText, show, syncChildren } from "./dom.js";
import { Row } from "./row.js";

const MIN_ROW_PIXELS = 36;
const IDLE_ROWS = 1000;
const SCROLL_ROWS = 200;
const ROWS_PER_STEP = 10;
const MIN_IDLE_MS = 5;

export class StoreRows {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {string[]} */
  #shown = [];
  /** @type {Row[]} */
  #placed = [];
  #limit = 0;
  #isGrowing = false;

  /** @param {(storeId: string) => Row} make */
  constructor(make) {
    this.make = make;
    this.table = byId("stores");
    this.body = byId("store-rows");
    this.more = byId("more-stores");
    this.more.addEventListener("click", () => this.reach(this.#limit + SCROLL_ROWS));
    this.watcher = new IntersectionObserver((seen) => this.#scrolled(seen), { rootMargin: "0px 0px 1500px" });
    addEventListener("beforeprint", () => this.reach(this.#shown.length));
  }

  /**
   * Show these stores, in this order.
   * @param {string[]} storeIds
   * @param {string} [needed] a store that must have a row on the page
   */
  show(storeIds, needed = "") {
    this.#shown = storeIds;
    this.#limit = Math.max(this.#limit, storeIds.indexOf(needed) + 1, Math.ceil(innerHeight / MIN_ROW_PIXELS));
    this.#place();
  }

  /** Reduce the rows to those that fill the screen with the next update. */
  forgetReach() {
    this.#limit = 0;
  }

  /**
   * Place at least this many rows on the page.
   * @param {number} count
   */
  reach(count) {
    if (count <= this.#placed.length) return;
    this.#limit = count;
    this.#place();
  }

  /**
   * Return the row of a store, on the page or not.
   * @param {string} storeId
   */
  row(storeId) {
    const known = this.#rows.get(storeId);
    if (known) return known;
    const row = this.make(storeId);
    this.#rows.set(storeId, row);
    return row;
  }

  /**
   * Update the row of a store; without a store the row is dropped.
   * @param {string} storeId
   * @param {Store | undefined} store
   */
  update(storeId, store) {
    if (store) this.#rows.get(storeId)?.update(store);
    else this.#rows.delete(storeId);
  }

  /** @param {number} now */
  tick(now) {
    for (const row of this.#placed) row.tick(now);
  }

  /**
   * Return the row that an element is in.
   * @param {EventTarget | null} target
   */
  rowOf(target) {
    const element = target instanceof Element && this.body.contains(target) ? target.closest("tr") : null;
    return element ? this.#placed.find((row) => row.element === element) : undefined;
  }

  #place() {
    const now = Date.now();
    this.#placed = this.#shown.slice(0, this.#limit).map((storeId) => this.row(storeId));
    for (const row of this.#placed) if (!row.element.isConnected) row.tick(now);
    syncChildren(this.body, this.#placed.map((row) => row.element));
    this.#showMore();
    this.#grow();
  }

  #showMore() {
    const waiting = this.#shown.length - this.#placed.length;
    show(this.more, waiting > 0);
    setText(this.more, `${waiting.toLocaleString("en")} more`);
    setAttribute(this.table, "aria-rowcount", waiting > 0 && String(this.#shown.length + 1));
    this.watcher.unobserve(this.more);
    if (waiting > 0) this.watcher.observe(this.more);
  }

  /** @param {IntersectionObserverEntry[]} seen */
  #scrolled(seen) {
    if (seen.some(({ isIntersecting }) => isIntersecting)) this.reach(this.#placed.length + SCROLL_ROWS);
  }

  #grow() {
    if (this.#isGrowing || !this.#mayGrow()) return;
    this.#isGrowing = true;
    whenIdle((hasTime) => {
      this.#isGrowing = false;
      do this.#append();
      while (hasTime() && this.#mayGrow());
      this.#showMore();
      this.#grow();
    });
  }

  #mayGrow() {
    return this.#placed.length < Math.min(this.#shown.length, IDLE_ROWS);
  }

  #append() {
    const at = this.#placed.length;
    const added = this.#shown.slice(at, Math.min(at + ROWS_PER_STEP, IDLE_ROWS)).map((storeId) => this.row(storeId));
    this.#placed.push(...added);
    this.#limit = Math.max(this.#limit, this.#placed.length);
    for (const row of added) row.tick(Date.now());
    this.body.append(...added.map((row) => row.element));
  }
}

/** @param {(hasTime: () => boolean) => void} work */
function whenIdle(work) {
  if (!("requestIdleCallback" in globalThis)) setTimeout(() => work(() => false), 50);
  else requestIdleCallback((deadline) => work(() => deadline.timeRemaining() > MIN_IDLE_MS));
}
