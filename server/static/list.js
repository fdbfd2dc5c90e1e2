/**
 * The list of stores: those that the filter lets through, in the order that was asked for.
 *
 *     stores --filter--> passing --order--> shown ids --as far as needed--> rows of the page
 *
 * Nothing is ever cleared and built again. One row is in the tab order at a time, arrows and j/k move it; a row that
 * goes away hands the focus to its neighbour. Rows off the screen cost no layout (content-visibility).
 *
 * @typedef {import("./store_cache.js").Store} Store
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

  /** @param {{onOpen: (storeId: string) => void, onLeave: () => void}} handlers */
  constructor({ onOpen, onLeave }) {
    this.onOpen = onOpen;
    this.onLeave = onLeave;
    this.table = byId("stores");
    this.rows = new StoreRows((storeId) => this.#make(storeId));
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
   * Mark the store that the panel shows.
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

  /** Put the focus on the active row; say whether there was one. */
  focus() {
    const at = this.#shown.indexOf(this.#active);
    if (at >= 0) this.#focusAt(at);
    return at >= 0;
  }

  /**
   * Let the ages grow.
   * @param {number} now
   */
  tick(now) {
    this.rows.tick(now);
  }

  /**
   * Say in words why there is nothing to see, where there is nothing.
   * @param {boolean} hasPicture whether the server has told its stores already
   */
  explain(hasPicture) {
    const count = this.#stores.size;
    show(byId("empty-waiting"), !hasPicture);
    show(byId("empty-none"), hasPicture && count === 0);
    show(byId("empty-filtered"), count > 0 && this.shownCount() === 0);
    show(byId("list-keys"), count > 0);
  }

  /** Return how many stores the filter lets through. */
  shownCount() {
    return this.#shown.length;
  }

  /**
   * @param {string} storeId
   * @param {Store | undefined} store
   * @returns {boolean} whether other stores have to be shown, or the same in another order
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
    const heir = focused && this.#heirOf(focused, before);
    this.rows.show(this.#shown, heir);
    for (const storeId of before) if (!this.#stores.has(storeId)) this.rows.update(storeId, undefined);
    if (heir) this.rows.row(heir).link.focus({ preventScroll: heir === focused });
    else if (focused) this.onLeave();
    this.#settle();
  }

  /**
   * Return who has the focus after a row had it: that row, the nearest that stays where it went, or nobody.
   * @param {string} storeId
   * @param {string[]} before the order in which it stood
   */
  #heirOf(storeId, before) {
    const staying = new Set(this.#shown);
    const at = before.indexOf(storeId);
    const isStaying = (/** @type {string} */ other) => staying.has(other);
    return before.slice(at).find(isStaying) ?? before.slice(0, at).findLast(isStaying) ?? "";
  }

  /** @param {string} storeId */
  #make(storeId) {
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
   * @param {boolean} isChosen whether a person went there; until then the top row is the active one
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
    if (event.key === "/") this.onLeave();
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
