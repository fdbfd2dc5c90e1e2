/**
 * The announcements for screen readers: the connection to server or cluster is lost or restored, and the phase of the
 * selected store changes. Everything else (ages, counts, other stores) changes silently.
 *
 * @typedef {import("./storecache.js").StoreCache} StoreCache
 */
import { announce } from "./notice.js";

const CONNECTION_TEXTS = {
  live: "Live again.",
  lost: "Connection lost. Reconnecting.",
  disconnected: "The server cannot reach the cluster. The data may be outdated.",
};

export class Announcer {
  #connection = "";
  #storeId = "";
  #phase = "";

  /**
   * Announce what has changed since the last call.
   * @param {StoreCache} cache
   * @param {string} storeId the selected store
   */
  update(cache, storeId) {
    this.#updateConnection(cache);
    const isDeleted = storeId && this.#storeId === storeId && this.#phase;
    const phase = cache.stores.get(storeId)?.phase ?? (isDeleted ? "deleted" : "");
    if (storeId === this.#storeId && this.#phase && phase !== this.#phase) announce(`${storeId} is ${phase}.`);
    this.#storeId = storeId;
    this.#phase = phase;
  }

  /** @param {StoreCache} cache */
  #updateConnection({ connection, lastResponseAt, clusterError }) {
    if (connection.state !== "live" && !lastResponseAt) return;
    const state = connection.state !== "live" ? "lost" : clusterError ? "disconnected" : "live";
    if (this.#connection && state !== this.#connection) announce(CONNECTION_TEXTS[state]);
    this.#connection = state;
  }
}
