/**
 * The status line: how the connection is and how old the data, in words that do not flicker while all is well.
 *
 * @typedef {import("./store_cache.js").Book} Book
 */
import { byId, setAttribute, setText, show } from "./dom.js";
import { age, clock } from "./format.js";

// A quiet cluster is heard of once a minute.
const FRESH_SECONDS = 75;
const SILENT_CLUSTER_SECONDS = 90;
const OFFLINE_MS = 10_000;

export class StatusLine {
  /** @param {() => void} onTryNow */
  constructor(onTryNow) {
    this.element = byId("status");
    this.state = byId("status-state");
    this.detail = byId("status-detail");
    this.button = byId("try-now");
    this.button.addEventListener("click", onTryNow);
  }

  /** @param {Book} book */
  update(book) {
    const { tone, state, detail } = statusWords(book);
    setAttribute(this.element, "data-state", tone);
    setAttribute(document.body, "data-line", tone);
    setText(this.state, state);
    setText(this.detail, detail);
    show(this.button, tone === "lost");
    show(byId("simulated"), [...book.stores.values()].some((store) => store.simulated));
  }
}

/**
 * Return how things stand: a tone, a word or two, and the rest of the sentence.
 * @param {Book} book
 * @returns {{tone: "live" | "stale" | "connecting" | "lost", state: string, detail: string}}
 */
export function statusWords(book) {
  const { state } = book.link;
  if (state === "live") return liveWords(book.ageSeconds(), book.clusterError);
  if (book.link.attempt === 0) return { tone: "connecting", state: "Connecting", detail: "" };
  const isOffline = book.now() - book.lostAt >= OFFLINE_MS;
  const title = isOffline ? `Offline since ${clock(book.lostAt, book.now())}` : "Reconnecting";
  return { tone: "lost", state: title, detail: [attemptWords(book), dataWords(book)].filter(Boolean).join(" ") };
}

/**
 * Return a sentence on how old the picture is; empty while it is live.
 * @param {Book} book
 */
export function staleWords(book) {
  return book.link.state === "live" && !book.clusterError ? "" : dataWords(book);
}

/**
 * Return the title of the page, with what a tab in the background should tell.
 * @param {Book} book
 * @param {string} storeId the store that is open
 */
export function titleWords(book, storeId) {
  const failed = book.counts().get("Failed") ?? 0;
  return [failed ? `${failed} failed` : "", storeId, "Urumi"].filter(Boolean).join(" · ");
}

/**
 * @param {number} seconds
 * @param {string} clusterError
 */
function liveWords(seconds, clusterError) {
  if (clusterError) {
    const detail = `but the cluster is out of the server's reach: the list is ${age(seconds)} old. ${clusterError}`;
    return /** @type {const} */ ({ tone: "stale", state: "Live,", detail });
  }
  if (seconds > SILENT_CLUSTER_SECONDS) {
    const detail = `but the server has not heard from the cluster for ${age(seconds)}: the list may be old.`;
    return /** @type {const} */ ({ tone: "stale", state: "Live,", detail });
  }
  const detail = seconds > FRESH_SECONDS ? `data ${age(seconds)} old` : "";
  return /** @type {const} */ ({ tone: "live", state: "Live", detail });
}

/** @param {Book} book */
function attemptWords({ link, now }) {
  const reason = link.detail && `${link.detail.charAt(0).toUpperCase()}${link.detail.slice(1)}.`;
  if (link.state === "connecting") return `Attempt ${link.attempt}, trying now.`;
  const wait = Math.max(0, Math.ceil((link.retryAt - now()) / 1000));
  return `${reason} Attempt ${link.attempt} in ${wait} s.`;
}

/** @param {Book} book */
function dataWords(book) {
  const seconds = book.ageSeconds();
  if (Number.isNaN(seconds)) return "Nothing is known yet.";
  return `Showing the data of ${clock(book.asOf(), book.now())}, ${age(seconds)} old.`;
}
