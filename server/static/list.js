/**
 * The list of stores: keyed rows, newest first, of which the filter hides some.
 *
 * Rows are made when a store appears and dropped when it is gone; nothing is ever cleared and built again. One row is
 * in the tab order at a time, arrows and j/k move it. Rows off the screen cost no layout (content-visibility).
 *
 * @typedef {import("./book.js").Store} Store
 */
import { byId, setText, show, syncChildren } from "./dom.js";
import { Row } from "./row.js";
import { plural } from "./format.js";

/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, g: -Infinity, End: Infinity, G: Infinity };

export class StoreList {
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {Row[]} */
  #order = [];
  #active = "";
  #isActiveChosen = false;
  #selected = "";
  /** @type {(store: Store) => boolean} */
  #passes = () => true;

  /** @param {{onOpen: (storeId: string) => void, onLeave: () => void}} handlers */
  constructor({ onOpen, onLeave }) {
    this.onOpen = onOpen;
    this.onLeave = onLeave;
    this.table = byId("stores");
    this.body = byId("store-rows");
    this.body.addEventListener("click", (/** @type {MouseEvent} */ event) => this.#click(event));
    this.body.addEventListener("focusin", (/** @type {FocusEvent} */ event) => this.#activate(this.#rowOf(event), true));
    this.body.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#press(event));
  }

  /**
   * Show what changed.
   * @param {Map<string, Store>} stores
   * @param {Iterable<string>} changedIds
   */
  update(stores, changedIds) {
    let reordered = false;
    for (const storeId of changedIds) reordered = this.#updateOne(storeId, stores.get(storeId)) || reordered;
    if (reordered) this.#arrange();
    this.#settle();
  }

  /**
   * Show only the stores that pass.
   * @param {(store: Store) => boolean} passes
   */
  filter(passes) {
    this.#passes = passes;
    for (const row of this.#order) this.#sift(row);
    this.#settle();
  }

  /**
   * Mark the store that the panel shows.
   * @param {string} storeId
   */
  select(storeId) {
    if (storeId === this.#selected) return;
    this.#rows.get(this.#selected)?.setSelected(false);
    this.#selected = storeId;
    this.#rows.get(storeId)?.setSelected(true);
    if (storeId) this.#activate(this.#rows.get(storeId), true);
  }

  /** Put the focus on the active row; say whether there was one. */
  focus() {
    const row = this.#rows.get(this.#active);
    if (!row || row.element.hidden) return false;
    row.link.focus();
    return true;
  }

  /**
   * Let the ages grow.
   * @param {number} now
   */
  tick(now) {
    for (const row of this.#order) if (!row.element.hidden) row.tick(now);
  }

  /**
   * Say in words why there is nothing to see, where there is nothing.
   * @param {boolean} hasPicture whether the server has told its stores already
   */
  explain(hasPicture) {
    const count = this.#order.length;
    show(byId("empty-waiting"), !hasPicture);
    show(byId("empty-none"), hasPicture && count === 0);
    show(byId("empty-filtered"), count > 0 && this.shownCount() === 0);
    show(byId("list-keys"), count > 0);
  }

  /** Return how many rows the filter lets through. */
  shownCount() {
    return this.#order.reduce((count, row) => count + (row.element.hidden ? 0 : 1), 0);
  }

  /**
   * @param {string} storeId
   * @param {Store | undefined} store
   * @returns {boolean} whether the order of the rows may have changed
   */
  #updateOne(storeId, store) {
    const row = this.#rows.get(storeId);
    if (!store) return this.#remove(storeId, row);
    if (!row) return this.#add(store);
    const createdAt = row.createdAt;
    if (row.store !== store) row.update(store);
    this.#sift(row);
    return !Object.is(createdAt, row.createdAt);
  }

  /** @param {Store} store */
  #add(store) {
    const row = new Row(store);
    row.setSelected(store.storeId === this.#selected);
    this.#rows.set(store.storeId, row);
    this.#sift(row);
    return true;
  }

  /**
   * @param {string} storeId
   * @param {Row | undefined} row
   */
  #remove(storeId, row) {
    if (!row) return false;
    this.#handFocusOn(row);
    this.#rows.delete(storeId);
    return true;
  }

  /** @param {Row} row */
  #sift(row) {
    const passes = this.#passes(row.store);
    if (!passes) this.#handFocusOn(row);
    show(row.element, passes);
  }

  #arrange() {
    this.#order = [...this.#rows.values()].sort(newestFirst);
    syncChildren(this.body, this.#order.map((row) => row.element));
  }

  #settle() {
    const shown = this.shownCount();
    show(this.table, shown > 0);
    const total = this.#order.length;
    setText(byId("shown-count"), shown === total ? plural(total, "store") : `${shown} of ${plural(total, "store")} shown`);
    const active = this.#rows.get(this.#active);
    const isLost = !active || active.element.hidden;
    if (isLost || !this.#isActiveChosen) this.#activate(this.#order.find((row) => !row.element.hidden), false);
  }

  /** @param {Row} row whose focus goes to a neighbour, because the row goes away */
  #handFocusOn(row) {
    if (!row.element.contains(document.activeElement)) return;
    const at = this.#order.indexOf(row);
    const isThere = (/** @type {Row} */ other) => other !== row && !other.element.hidden && this.#passes(other.store);
    const next = this.#order.slice(at + 1).find(isThere) ?? this.#order.slice(0, at).findLast(isThere);
    if (next) next.link.focus();
    else this.onLeave();
  }

  /**
   * @param {Row | undefined} row
   * @param {boolean} isChosen whether a person went there; until then the top row is the active one
   */
  #activate(row, isChosen) {
    if (!row) return;
    this.#isActiveChosen = isChosen;
    if (row.store.storeId === this.#active) return;
    this.#rows.get(this.#active)?.setActive(false);
    this.#active = row.store.storeId;
    row.setActive(true);
  }

  /** @param {Event} event */
  #rowOf(event) {
    const element = event.target instanceof Element ? event.target.closest("tr") : null;
    return this.#order.find((row) => row.element === element);
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const row = this.#rowOf(event);
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const selection = getSelection();
    const isCopying = event.detail > 0 && selection?.type === "Range" && selection.containsNode(row.element, true);
    if (!isCopying) this.onOpen(row.store.storeId);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") this.onLeave();
    else if (event.key in STEPS) this.#move(STEPS[event.key]);
    else return;
    event.preventDefault();
  }

  /** @param {number} step */
  #move(step) {
    const shown = this.#order.filter((row) => !row.element.hidden);
    const at = shown.findIndex((row) => row.store.storeId === this.#active);
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + step))];
    next?.link.focus();
  }
}

/**
 * @param {Row} one
 * @param {Row} other
 */
function newestFirst(one, other) {
  const later = (other.createdAt || 0) - (one.createdAt || 0);
  return later || (one.store.storeId < other.store.storeId ? -1 : 1);
}
