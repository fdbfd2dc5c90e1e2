/**
 * The view: filter, order and selected store, kept in the address: `#q=...&phase=Failed,Degraded&sort=name&store=shop-a`.
 *
 * All terms of the text filter must match: `word`, `!word` for stores without it, `phase:failed`, `engine:medusa`.
 *
 * @typedef {import("./storecache.js").Store} Store
 * @typedef {{q: string, phases: Set<string>, sort: string, store: string}} View
 */
import { PHASES } from "./format.js";
import { ORDERS, DEFAULT_ORDER } from "./order.js";

/**
 * Return the view of an address; invalid parts are ignored.
 * @param {string} hash
 * @returns {View}
 */
export function readView(hash) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  const wanted = new Set((parameters.get("phase") ?? "").split(","));
  const sort = parameters.get("sort") ?? "";
  return {
    q: parameters.get("q") ?? "",
    phases: new Set(PHASES.filter((phase) => wanted.has(phase))),
    sort: ORDERS.has(sort) ? sort : DEFAULT_ORDER,
    store: parameters.get("store") ?? "",
  };
}

/**
 * Return the address of a view; the inverse of `readView`.
 * @param {View} view
 */
export function viewHash({ q, phases, sort, store }) {
  const parameters = new URLSearchParams();
  if (q) parameters.set("q", q);
  if (phases.size) parameters.set("phase", PHASES.filter((phase) => phases.has(phase)).join(","));
  if (sort !== DEFAULT_ORDER) parameters.set("sort", sort);
  if (store) parameters.set("store", store);
  return `#${parameters.toString().replaceAll("%2C", ",")}`;
}

/**
 * Return the predicate of the filter.
 * @param {View} view
 * @returns {(store: Store) => boolean}
 */
export function filterOf({ q, phases }) {
  const terms = q.toLowerCase().split(/\s+/).filter(Boolean).map(term);
  return (store) => (phases.size === 0 || phases.has(store.phase)) && terms.every((matches) => matches(store));
}

/**
 * @param {string} word
 * @returns {(store: Store) => boolean}
 */
function term(word) {
  if (word.length > 1 && word.startsWith("!")) {
    const matches = term(word.slice(1));
    return (store) => !matches(store);
  }
  const [field, ...rest] = word.split(":");
  const value = rest.join(":");
  if (field === "phase") return (store) => store.phase.toLowerCase().startsWith(value);
  if (field === "engine") return (store) => store.engine.toLowerCase().startsWith(value);
  return (store) => searchable(store).includes(word);
}

/** @type {WeakMap<Store, string>} */
const searchableTexts = new WeakMap();

/** @param {Store} store */
function searchable(store) {
  let text = searchableTexts.get(store);
  if (text === undefined) {
    text = searchableParts(store).join("\n").toLowerCase();
    searchableTexts.set(store, text);
  }
  return text;
}

/** @param {Store} store */
function searchableParts(store) {
  const { storeId, phase, engine, namespace, releaseName, url, progress, lastError, requestedBy, events } = store;
  const newest = events?.at(-1);
  return [
    storeId, phase, engine, namespace, releaseName, url, progress?.step, progress?.message,
    lastError?.reason, lastError?.message, requestedBy?.user, newest?.type, newest?.message,
  ];
}
