/**
 * The book of stores: every store by id, as the live feed tells it, with no element of the page in sight.
 *
 * Only the feed writes here; answers of REST calls never do, so that an answer that was overtaken cannot bring back a
 * store that is gone. The book never forgets on a lost connection; it says how old its picture is instead.
 *
 * @typedef {{type: string, status: "True" | "False" | "Unknown", reason?: string, message?: string, lastTransitionTime?: string}} Condition
 * @typedef {{type: string, message?: string, timestamp: string, level?: "info" | "warning" | "error", step?: string, seconds?: number, count?: number}} StoreEvent
 * @typedef {{
 *   storeId: string, uid: string, engine: string, phase: string, namespace?: string, releaseName?: string,
 *   generation?: number, observedGeneration?: number, url?: string, adminUrl?: string, createdAt?: string,
 *   updatedAt?: string, readyAt?: string, attempts?: number, nextRetryAt?: string, simulated?: boolean,
 *   progress?: {step: string, index: number, total: number, message?: string},
 *   lastError?: {step: string, reason: string, message: string, hint?: string, at?: string},
 *   release?: {revision?: number, chartVersion?: string, digest?: string},
 *   requestedBy?: {user?: string, ip?: string, userAgent?: string},
 *   conditions?: Condition[], events?: StoreEvent[],
 * }} Store
 * @typedef {{state: "connecting" | "live" | "reconnecting" | "refused", detail: string, attempt: number, retryAt: number}} Link
 * @typedef {{kind: "link", link: Link}
 *   | {kind: "picture", stores: Store[]}
 *   | {kind: "change", storeId: string, uid: string, store: Store | null}
 *   | {kind: "heard", ageSeconds: number, clusterError: string}} FeedEvent
 */

export class Book {
  /** @param {() => number} now milliseconds of the wall clock, which goes on while a laptop sleeps */
  constructor(now = Date.now) {
    /** @type {Map<string, Store>} */
    this.stores = new Map();
    /** @type {Link} */
    this.link = { state: "connecting", detail: "", attempt: 0, retryAt: 0 };
    /** When the line was lost, or first tried; 0 while it is live. */
    this.lostAt = now();
    /** When the server was last heard; 0 before the first picture. */
    this.heardAt = 0;
    this.clusterSilenceSeconds = 0;
    /** Why the server does not see the cluster; empty where nothing is known against it. */
    this.clusterError = "";
    this.now = now;
  }

  /**
   * Fold an event in; return the ids of the stores that may be new, different or gone.
   * @param {FeedEvent} event
   * @returns {Set<string>}
   */
  apply(event) {
    switch (event.kind) {
      case "link":
        return this.#relink(event.link);
      case "picture":
        this.#hear(0);
        return this.#replace(event.stores);
      case "change":
        this.#hear(0);
        return this.#change(event);
      case "heard":
        this.#hear(event.ageSeconds);
        this.clusterError = event.clusterError;
        return new Set();
    }
  }

  /** Return how many stores are in each phase. */
  counts() {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { phase } of this.stores.values()) counts.set(phase, (counts.get(phase) ?? 0) + 1);
    return counts;
  }

  /** Return how old the picture is in seconds, the cluster's own silence included; NaN before the first picture. */
  ageSeconds() {
    if (!this.heardAt) return NaN;
    return Math.max(0, (this.now() - this.heardAt) / 1000) + this.clusterSilenceSeconds;
  }

  /** Return when the data shown was true, in milliseconds. */
  asOf() {
    return this.now() - this.ageSeconds() * 1000;
  }

  /** @param {Link} link */
  #relink(link) {
    if (link.state === "live") this.lostAt = 0;
    else if (!this.lostAt) this.lostAt = this.now();
    this.link = link;
    return new Set();
  }

  /** @param {number} clusterSilenceSeconds */
  #hear(clusterSilenceSeconds) {
    this.heardAt = this.now();
    this.clusterSilenceSeconds = clusterSilenceSeconds;
  }

  /** @param {Store[]} stores */
  #replace(stores) {
    const touched = new Set(this.stores.keys());
    this.stores = new Map(stores.map((store) => [store.storeId, store]));
    for (const storeId of this.stores.keys()) touched.add(storeId);
    return touched;
  }

  /** @param {{storeId: string, uid: string, store: Store | null}} change */
  #change({ storeId, uid, store }) {
    if (store) this.stores.set(storeId, store);
    else if (this.stores.get(storeId)?.uid === uid) this.stores.delete(storeId);
    else return new Set();
    return new Set([storeId]);
  }
}
