/**
 * The list of stores: those that pass the filter, in the selected order.
 *
 *     stores --filter--> passing --order--> shown ids --as far as needed--> rows of the page
 *
 * The list is updated in place, never rebuilt. One row at a time is in the tab order, arrows and j/k move it; a row that
 * disappears passes the focus to its neighbour. Rows outside the screen cost no layout (content-visibility).
 *
 * @typedef {import("./storecache.js").Store} Store
 */
import { byId, setAttribute, setText, show } from "./dom.js";
import { plural } from "./format.js";
import { ORDERS, idsInOrder } from "./order.js";
import { Row } from "./row.js";
import { StoreRows } from "./rows.js";

/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, g: -Infinity, End: Infinity, G: Infinity };

export class StoreList {
  /** @type {Map<string, Store>} */
  #stores = new Map();
  /** @type {string[]} */
  #shown = [];
  #active = "";
  #isActiveChosen = false;
  #selected = "";
  /** @type {(store: Store) => boolean} */
  #passes = () => true;
  /** @type {(store: Store) => number} */
  #key = () => 0;

  /** @param {{onOpen: (storeId: string) => void, onExit: () => void}} handlers */
  constructor({ onOpen, onExit }) {
    this.onOpen = onOpen;
    this.onExit = onExit;
    this.table = byId("stores");
    this.rows = new StoreRows((storeId) => this.#createRow(storeId));
    const body = byId("store-rows");
    body.addEventListener("click", (/** @type {MouseEvent} */ event) => this.#click(event));
    body.addEventListener("focusin", (/** @type {FocusEvent} */ event) => this.#activate(this.rows.rowOf(event.target), true));
    body.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#press(event));
  }

  /**
   * Show what changed.
   * @param {Map<string, Store>} stores
   * @param {Iterable<string>} changedIds
   */
  update(stores, changedIds) {
    let isRearranged = false;
    for (const storeId of changedIds) isRearranged = this.#updateOne(storeId, stores.get(storeId)) || isRearranged;
    if (isRearranged) this.#arrange();
  }

  /**
   * Show only the stores that pass, in an order.
   * @param {(store: Store) => boolean} passes
   * @param {string} sort
   */
  filter(passes, sort) {
    const order = ORDERS.get(sort);
    this.#passes = passes;
    this.#key = order?.key ?? (() => 0);
    for (const column of this.table.querySelectorAll("thead th"))
      setAttribute(column, "aria-sort", column.classList.contains(`cell-${order?.column}`) && order?.direction);
    this.rows.forgetReach();
    this.#arrange();
  }

  /**
   * Mark the store of the panel.
   * @param {string} storeId
   */
  select(storeId) {
    if (storeId === this.#selected) return;
    const before = this.#selected;
    this.#selected = storeId;
    if (this.#stores.has(before)) this.rows.row(before).setSelected(false);
    if (!this.#stores.has(storeId)) return;
    this.rows.row(storeId).setSelected(true);
    this.#activate(this.rows.row(storeId), true);
  }

  /** Focus the active row; return whether there was one. */
  focus() {
    const at = this.#shown.indexOf(this.#active);
    if (at >= 0) this.#focusAt(at);
    return at >= 0;
  }

  /**
   * Update the ages.
   * @param {number} now
   */
  tick(now) {
    this.rows.tick(now);
  }

  /**
   * Explain an empty list.
   * @param {boolean} hasSnapshot whether the server has sent its stores
   */
  explain(hasSnapshot) {
    const count = this.#stores.size;
    show(byId("empty-waiting"), !hasSnapshot);
    show(byId("empty-none"), hasSnapshot && count === 0);
    show(byId("empty-filtered"), count > 0 && this.shownCount() === 0);
    show(byId("list-keys"), count > 0);
  }

  /** Return the number of stores that pass the filter. */
  shownCount() {
    return this.#shown.length;
  }

  /**
   * @param {string} storeId
   * @param {Store | undefined} store
   * @returns {boolean} whether the shown stores or their order change
   */
  #updateOne(storeId, store) {
    const before = this.#stores.get(storeId);
    if (before === store) return false;
    if (store) this.#stores.set(storeId, store);
    else this.#stores.delete(storeId);
    if (store) this.rows.update(storeId, store);
    if (!before || !store) return true;
    return this.#passes(before) !== this.#passes(store) || this.#key(before) !== this.#key(store);
  }

  #arrange() {
    const before = this.#shown;
    const focused = this.rows.rowOf(document.activeElement)?.store.storeId;
    this.#shown = idsInOrder([...this.#stores.values()].filter(this.#passes), this.#key);
    const successor = focused && this.#successorOf(focused, before);
    this.rows.show(this.#shown, successor);
    for (const storeId of before) if (!this.#stores.has(storeId)) this.rows.update(storeId, undefined);
    if (successor) this.rows.row(successor).link.focus({ preventScroll: successor === focused });
    else if (focused) this.onExit();
    this.#settle();
  }

  /**
   * Return the row that gets the focus of another: the same row, else the nearest that stays, else none.
   * @param {string} storeId
   * @param {string[]} before the previous order
   */
  #successorOf(storeId, before) {
    const staying = new Set(this.#shown);
    const at = before.indexOf(storeId);
    const isStaying = (/** @type {string} */ other) => staying.has(other);
    return before.slice(at).find(isStaying) ?? before.slice(0, at).findLast(isStaying) ?? "";
  }

  /** @param {string} storeId */
  #createRow(storeId) {
    const row = new Row(/** @type {Store} */ (this.#stores.get(storeId)));
    row.setSelected(storeId === this.#selected);
    row.setActive(storeId === this.#active);
    return row;
  }

  #settle() {
    const shown = this.shownCount();
    const total = this.#stores.size;
    show(this.table, shown > 0);
    setText(byId("shown-count"), shown === total ? plural(total, "store") : `${shown.toLocaleString("en")} of ${plural(total, "store")} shown`);
    const isThere = this.#isActiveChosen && this.#shown.includes(this.#active);
    if (!isThere && shown) this.#activate(this.rows.row(this.#shown[0]), false);
  }

  /**
   * @param {Row | undefined} row
   * @param {boolean} isChosen whether the user moved there; until then the top row is the active one
   */
  #activate(row, isChosen) {
    if (!row) return;
    const before = this.#active;
    this.#isActiveChosen = isChosen;
    this.#active = row.store.storeId;
    if (before === this.#active) return;
    if (this.#stores.has(before)) this.rows.row(before).setActive(false);
    row.setActive(true);
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const row = this.rows.rowOf(event.target);
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const selection = getSelection();
    const isCopying = event.detail > 0 && selection?.type === "Range" && selection.containsNode(row.element, true);
    if (!isCopying) this.onOpen(row.store.storeId);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") this.onExit();
    else if (event.key in STEPS) this.#move(STEPS[event.key]);
    else return;
    event.preventDefault();
  }

  /** @param {number} step */
  #move(step) {
    const at = this.#shown.indexOf(this.#active) + step;
    this.#focusAt(Math.min(this.#shown.length - 1, Math.max(0, at)));
  }

  /** @param {number} at */
  #focusAt(at) {
    this.rows.reach(at + 1);
    this.rows.row(this.#shown[at]).link.focus();
  }
}
