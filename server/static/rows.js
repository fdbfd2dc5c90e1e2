/**
 * The rows on the page: those of the first stores that are to be shown, as far down as anybody needs them.
 *
 * As many as fill the screen are placed at once, up to a thousand while the browser has nothing else to do, the rest when
 * somebody scrolls, moves or prints that far. A row is made once and kept while its store lives.
 *
 * @typedef {import("./store_cache.js").Store} Store
 */
import { byId, setAttribute, setText, show, syncChildren } from "./dom.js";
import { Row } from "./row.js";

const LEAST_ROW_PIXELS = 36;
const ROWS_AT_EASE = 1000;
const ROWS_MORE = 200;
const ROWS_AT_ONCE = 10;
const LEAST_IDLE_MS = 5;

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
    this.more.addEventListener("click", () => this.reach(this.#limit + ROWS_MORE));
    this.watcher = new IntersectionObserver((seen) => this.#scrolled(seen), { rootMargin: "0px 0px 1500px" });
    addEventListener("beforeprint", () => this.reach(this.#shown.length));
  }

  /**
   * Show these stores, in this order.
   * @param {string[]} storeIds
   * @param {string} [needed] the store whose row has to be on the page
   */
  show(storeIds, needed = "") {
    this.#shown = storeIds;
    this.#limit = Math.max(this.#limit, storeIds.indexOf(needed) + 1, Math.ceil(innerHeight / LEAST_ROW_PIXELS));
    this.#place();
  }

  /** Go back to as few rows as fill the screen, the next time. */
  forgetReach() {
    this.#limit = 0;
  }

  /**
   * Have at least so many rows on the page.
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
   * Let a row show its store as it is now; without one the row is gone.
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
    this.#tellMore();
    this.#grow();
  }

  #tellMore() {
    const waiting = this.#shown.length - this.#placed.length;
    show(this.more, waiting > 0);
    setText(this.more, `${waiting.toLocaleString("en")} more`);
    setAttribute(this.table, "aria-rowcount", waiting > 0 && String(this.#shown.length + 1));
    this.watcher.unobserve(this.more);
    if (waiting > 0) this.watcher.observe(this.more);
  }

  /** @param {IntersectionObserverEntry[]} seen */
  #scrolled(seen) {
    if (seen.some(({ isIntersecting }) => isIntersecting)) this.reach(this.#placed.length + ROWS_MORE);
  }

  #grow() {
    if (this.#isGrowing || !this.#mayGrow()) return;
    this.#isGrowing = true;
    whenIdle((hasTime) => {
      this.#isGrowing = false;
      do this.#append();
      while (hasTime() && this.#mayGrow());
      this.#tellMore();
      this.#grow();
    });
  }

  #mayGrow() {
    return this.#placed.length < Math.min(this.#shown.length, ROWS_AT_EASE);
  }

  #append() {
    const at = this.#placed.length;
    const added = this.#shown.slice(at, Math.min(at + ROWS_AT_ONCE, ROWS_AT_EASE)).map((storeId) => this.row(storeId));
    this.#placed.push(...added);
    this.#limit = Math.max(this.#limit, this.#placed.length);
    for (const row of added) row.tick(Date.now());
    this.body.append(...added.map((row) => row.element));
  }
}

/** @param {(hasTime: () => boolean) => void} work */
function whenIdle(work) {
  if (!("requestIdleCallback" in globalThis)) setTimeout(() => work(() => false), 50);
  else requestIdleCallback((deadline) => work(() => deadline.timeRemaining() > LEAST_IDLE_MS));
}
