/**
 * The store cache: every store by id, as the live feed reports it. Nothing here touches the page.
 *
 * Only the feed writes to the cache. The responses of REST calls do not, so that an outdated response cannot bring back a
 * deleted store. The cache keeps its stores while the connection is lost, and reports the age of the data.
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
 * @typedef {{state: "connecting" | "live" | "reconnecting" | "refused", detail: string, attempt: number, retryAt: number}} ConnectionState
 * @typedef {{kind: "connection", connection: ConnectionState}
 *   | {kind: "snapshot", stores: Store[]}
 *   | {kind: "change", storeId: string, uid: string, store: Store | null}
 *   | {kind: "bookmark", ageSeconds: number, clusterError: string}} FeedEvent
 */

export class StoreCache {
  /** @param {() => number} now milliseconds of the wall clock, which also counts while a laptop sleeps */
  constructor(now = Date.now) {
    /** @type {Map<string, Store>} */
    this.stores = new Map();
    /** @type {ConnectionState} */
    this.connection = { state: "connecting", detail: "", attempt: 0, retryAt: 0 };
    /** When the connection was lost or first attempted; 0 while it is live. */
    this.disconnectedAt = now();
    /** When the server last sent something; 0 before the first snapshot. */
    this.lastResponseAt = 0;
    this.clusterAgeSeconds = 0;
    /** Why the server cannot reach the cluster; empty while it can. */
    this.clusterError = "";
    this.now = now;
  }

  /**
   * Apply an event; return the ids of the stores that were added, changed or deleted.
   * @param {FeedEvent} event
   * @returns {Set<string>}
   */
  apply(event) {
    switch (event.kind) {
      case "connection":
        return this.#connect(event.connection);
      case "snapshot":
        this.#receive(0);
        return this.#replace(event.stores);
      case "change":
        this.#receive(0);
        return this.#change(event);
      case "bookmark":
        this.#receive(event.ageSeconds);
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

  /** Return the age of the data in seconds, the cluster's own delay included; NaN before the first snapshot. */
  ageSeconds() {
    if (!this.lastResponseAt) return NaN;
    return Math.max(0, (this.now() - this.lastResponseAt) / 1000) + this.clusterAgeSeconds;
  }

  /** Return the time of the data in milliseconds. */
  asOf() {
    return this.now() - this.ageSeconds() * 1000;
  }

  /** @param {ConnectionState} connection */
  #connect(connection) {
    if (connection.state === "live") this.disconnectedAt = 0;
    else if (!this.disconnectedAt) this.disconnectedAt = this.now();
    this.connection = connection;
    return new Set();
  }

  /** @param {number} clusterAgeSeconds */
  #receive(clusterAgeSeconds) {
    this.lastResponseAt = this.now();
    this.clusterAgeSeconds = clusterAgeSeconds;
  }

  /** @param {Store[]} stores */
  #replace(stores) {
    const changed = new Set(this.stores.keys());
    this.stores = new Map(stores.map((store) => [store.storeId, store]));
    for (const storeId of this.stores.keys()) changed.add(storeId);
    return changed;
  }

  /** @param {{storeId: string, uid: string, store: Store | null}} change */
  #change({ storeId, uid, store }) {
    if (store) this.stores.set(storeId, store);
    else if (this.stores.get(storeId)?.uid === uid) this.stores.delete(storeId);
    else return new Set();
    return new Set([storeId]);
  }
}
