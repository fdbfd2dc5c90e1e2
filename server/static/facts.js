/**
 * What a store is, rather than what it does: its addresses, and the facts at the end of its panel.
 *
 * @typedef {import("./store_cache.js").Store} Store
 */
import { el, setText, show } from "./dom.js";
import { engineName, fullTime, millis, webAddress } from "./format.js";

const SIMULATED = "simulated: no shop answers here";
const COMING_PHASES = new Set(["Pending", "Provisioning"]);
const LEAVING_PHASES = new Set(["Deleting", "Deleted"]);

/**
 * Show an address as a link only where a shop can answer: a link that leads nowhere would be a lie.
 * @param {HTMLElement} place
 * @param {string | undefined} address
 * @param {Store} store
 */
export function showAddress(place, address, { simulated, phase, readyAt }) {
  const isNotThere = simulated || (COMING_PHASES.has(phase) && !readyAt);
  const target = isNotThere ? "" : webAddress(address);
  if (place.dataset.shown === `${target} ${address}`) return;
  place.dataset.shown = `${target} ${address}`;
  const link = { href: target, target: "_blank", rel: "noopener noreferrer" };
  place.replaceChildren(target ? el("a", link, target) : el("span", {}, address || "not known yet"));
}

/**
 * Return what has to be known of the addresses before one follows them.
 * @param {Store} store
 */
export function addressNote({ simulated, phase, url }) {
  if (simulated) return SIMULATED;
  if (!url || phase === "Ready") return "";
  return LEAVING_PHASES.has(phase) ? "They go with the store." : "They answer when the store is Ready.";
}

/**
 * @param {Store} store
 * @returns {[string, string][]}
 */
function factsOf(store) {
  const { release, requestedBy } = store;
  const observed = store.observedGeneration === store.generation ? "" : `, acted on: ${store.observedGeneration ?? 0}`;
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
    ["Asked for by", [requestedBy?.user, requestedBy?.ip, requestedBy?.userAgent].filter(Boolean).join(", ")],
    ["Uid", store.uid],
  ];
}

/**
 * Show the facts that are known; the lines are made once.
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
