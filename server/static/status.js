/**
 * The status line: the state of the connection and the age of the data. The text does not change while all is well.
 *
 * @typedef {import("./storecache.js").StoreCache} StoreCache
 */
import { byId, setAttribute, setText, show } from "./dom.js";
import { age, clock } from "./format.js";

// A quiet cluster sends something once a minute.
const FRESH_SECONDS = 75;
const OUTDATED_SECONDS = 90;
const OFFLINE_MS = 10_000;

export class StatusLine {
  /** @param {() => void} onReconnect */
  constructor(onReconnect) {
    this.element = byId("status");
    this.state = byId("status-state");
    this.detail = byId("status-detail");
    this.button = byId("reconnect");
    this.button.addEventListener("click", onReconnect);
  }

  /** @param {StoreCache} cache */
  update(cache) {
    const { tone, state, detail } = statusText(cache);
    setAttribute(this.element, "data-state", tone);
    setAttribute(document.body, "data-line", tone);
    setText(this.state, state);
    setText(this.detail, detail);
    show(this.button, tone === "lost");
    show(byId("simulated"), [...cache.stores.values()].some((store) => store.simulated));
  }
}

/**
 * Return the status: a tone, the state in a word or two, and the rest of the sentence.
 * @param {StoreCache} cache
 * @returns {{tone: "live" | "stale" | "connecting" | "lost", state: string, detail: string}}
 */
export function statusText(cache) {
  const { state } = cache.connection;
  if (state === "live") return liveText(cache.ageSeconds(), cache.clusterError);
  if (cache.connection.attempt === 0) return { tone: "connecting", state: "Connecting", detail: "" };
  const isOffline = cache.now() - cache.disconnectedAt >= OFFLINE_MS;
  const title = isOffline ? `Offline since ${clock(cache.disconnectedAt, cache.now())}` : "Reconnecting";
  return { tone: "lost", state: title, detail: [attemptText(cache), dataText(cache)].filter(Boolean).join(" ") };
}

/**
 * Return a sentence with the age of the data; empty while it is live.
 * @param {StoreCache} cache
 */
export function staleText(cache) {
  return cache.connection.state === "live" && !cache.clusterError ? "" : dataText(cache);
}

/**
 * Return the title of the page, with what is useful on a tab in the background.
 * @param {StoreCache} cache
 * @param {string} storeId the selected store
 */
export function titleText(cache, storeId) {
  const failed = cache.counts().get("Failed") ?? 0;
  return [failed ? `${failed} failed` : "", storeId, "Urumi"].filter(Boolean).join(" · ");
}

/**
 * @param {number} seconds
 * @param {string} clusterError
 */
function liveText(seconds, clusterError) {
  if (clusterError) {
    const detail = `but the server cannot reach the cluster: the data is ${age(seconds)} old. ${clusterError}`;
    return /** @type {const} */ ({ tone: "stale", state: "Live,", detail });
  }
  if (seconds > OUTDATED_SECONDS) {
    const detail = `but the server has had no response from the cluster for ${age(seconds)}: the data may be outdated.`;
    return /** @type {const} */ ({ tone: "stale", state: "Live,", detail });
  }
  const detail = seconds > FRESH_SECONDS ? `data ${age(seconds)} old` : "";
  return /** @type {const} */ ({ tone: "live", state: "Live", detail });
}

/** @param {StoreCache} cache */
function attemptText({ connection, now }) {
  const reason = connection.detail && `${connection.detail.charAt(0).toUpperCase()}${connection.detail.slice(1)}.`;
  if (connection.state === "connecting") return `Attempt ${connection.attempt} in progress.`;
  const wait = Math.max(0, Math.ceil((connection.retryAt - now()) / 1000));
  return `${reason} Attempt ${connection.attempt} in ${wait} s.`;
}

/** @param {StoreCache} cache */
function dataText(cache) {
  const seconds = cache.ageSeconds();
  if (Number.isNaN(seconds)) return "No data yet.";
  return `Showing data from ${clock(cache.asOf(), cache.now())}, ${age(seconds)} old.`;
}
