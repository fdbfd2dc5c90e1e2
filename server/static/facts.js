/**
 * The addresses of a store, and the details at the end of its panel.
 *
 * @typedef {import("./storecache.js").Store} Store
 */
import { el, setText, show } from "./dom.js";
import { engineName } from "./engines.js";
import { fullTime, millis, webAddress } from "./format.js";

const SIMULATED = "simulated containers: no shop is running";
const COMING_PHASES = new Set(["Pending", "Provisioning"]);
const LEAVING_PHASES = new Set(["Deleting", "Deleted"]);

/**
 * Show an address, as a link only if a shop can respond there.
 * @param {HTMLElement} place
 * @param {string | undefined} address
 * @param {Store} store
 */
export function showAddress(place, address, { simulated, phase, readyAt }) {
  const isUnavailable = simulated || (COMING_PHASES.has(phase) && !readyAt);
  const target = isUnavailable ? "" : webAddress(address);
  if (place.dataset.shown === `${target} ${address}`) return;
  place.dataset.shown = `${target} ${address}`;
  const link = { href: target, target: "_blank", rel: "noopener noreferrer" };
  place.replaceChildren(target ? el("a", link, target) : el("span", {}, address || "not known yet"));
}

/**
 * Return a note about the addresses.
 * @param {Store} store
 */
export function addressNote({ simulated, phase, url }) {
  if (simulated) return SIMULATED;
  if (!url || phase === "Ready") return "";
  return LEAVING_PHASES.has(phase) ? "Deleted together with the store." : "Available when the store is Ready.";
}

/**
 * @param {Store} store
 * @returns {[string, string][]}
 */
function factsOf(store) {
  const { release, requestedBy } = store;
  const observed = store.observedGeneration === store.generation ? "" : `, observed: ${store.observedGeneration ?? 0}`;
  const time = (/** @type {string | undefined} */ at) => fullTime(millis(at));
  return [
    ["Engine", engineName(store.engine)],
    ["Namespace", store.namespace ?? ""],
    ["Release", store.releaseName ?? ""],
    ["Revision", release?.revision ? `${release.revision}, chart ${release.chartVersion || "unknown"}` : ""],
    ["Digest", release?.digest ?? ""],
    ["Generation", store.generation ? `${store.generation}${observed}` : ""],
    ["Attempts", store.attempts ? String(store.attempts) : ""],
    ["Created", time(store.createdAt)],
    ["Ready since", store.phase === "Ready" ? time(store.readyAt) : ""],
    ["Requested by", [requestedBy?.user, requestedBy?.ip, requestedBy?.userAgent].filter(Boolean).join(", ")],
    ["Uid", store.uid],
  ];
}

/**
 * Show the known facts; the lines are created once.
 * @param {HTMLElement} list
 * @param {Store} store
 */
export function showFacts(list, store) {
  const facts = factsOf(store);
  if (!list.children.length) list.append(...facts.map(([name]) => el("div", {}, el("dt", {}, name), el("dd"))));
  for (const [at, [, value]] of facts.entries()) {
    const line = /** @type {HTMLElement} */ (list.children[at]);
    show(line, value !== "");
    setText(/** @type {Element} */ (line.lastElementChild), value);
  }
}
