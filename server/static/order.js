/**
 * The sort orders of the list. Each has a key; stores with the same key are sorted by id.
 *
 * @typedef {import("./storecache.js").Store} Store
 * @typedef {{label: string, column: string, direction: "ascending" | "descending", key: (store: Store) => number}} Order
 */
import { engineRank } from "./engines.js";
import { millis } from "./format.js";

const MOST_URGENT_FIRST = ["Failed", "Degraded", "Deleting", "Provisioning", "Pending", "Ready", "Deleted"];

/** @type {Map<string, Order>} */
export const ORDERS = new Map([
  ["newest", order("Newest first", "age", "ascending", ({ createdAt }) => -(millis(createdAt) || 0))],
  ["oldest", order("Oldest first", "age", "descending", ({ createdAt }) => millis(createdAt) || 0)],
  ["name", order("By name", "id", "ascending", () => 0)],
  ["phase", order("Problems first", "phase", "ascending", ({ phase }) => MOST_URGENT_FIRST.indexOf(phase))],
  ["engine", order("By engine", "engine", "ascending", ({ engine }) => engineRank(engine))],
  ["event", order("Last event first", "event", "ascending", ({ events }) => -(millis(events?.at(-1)?.timestamp) || 0))],
]);

export const DEFAULT_ORDER = "newest";

/**
 * Return the ids of the stores in that order.
 * @param {Store[]} stores
 * @param {(store: Store) => number} key
 */
export function idsInOrder(stores, key) {
  const keyed = stores.map((store) => /** @type {const} */ ([key(store), store.storeId]));
  keyed.sort(([one, oneId], [other, otherId]) => one - other || (oneId < otherId ? -1 : 1));
  return keyed.map(([, storeId]) => storeId);
}

/**
 * @param {string} label
 * @param {string} column the column that shows the sort key
 * @param {"ascending" | "descending"} direction the direction of the values in that column
 * @param {(store: Store) => number} key
 * @returns {Order}
 */
function order(label, column, direction, key) {
  return { label, column, direction, key };
}
