/**
 * What is said aloud of the live picture: the line or the cluster lost and back again, and the phase of the store that is open.
 *
 * Everything else (ages, counts, other stores) changes in silence, or a screen reader would never stop talking.
 *
 * @typedef {import("./store_cache.js").Book} Book
 */
import { announce } from "./notice.js";

const LINE_WORDS = {
  live: "Live again.",
  lost: "The connection is lost. The page goes on trying.",
  blind: "The server cannot reach the cluster. The list may be old.",
};

export class Voice {
  #line = "";
  #storeId = "";
  #phase = "";

  /**
   * Say what is different from the last time.
   * @param {Book} book
   * @param {string} storeId the store that is open
   */
  follow(book, storeId) {
    this.#followLine(book);
    const phase = book.stores.get(storeId)?.phase ?? (storeId && this.#storeId === storeId && this.#phase ? "gone" : "");
    if (storeId === this.#storeId && this.#phase && phase !== this.#phase) announce(`${storeId} is ${phase}.`);
    this.#storeId = storeId;
    this.#phase = phase;
  }

  /** @param {Book} book */
  #followLine({ link, heardAt, clusterError }) {
    if (link.state !== "live" && !heardAt) return;
    const line = link.state !== "live" ? "lost" : clusterError ? "blind" : "live";
    if (this.#line && line !== this.#line) announce(LINE_WORDS[line]);
    this.#line = line;
  }
}
