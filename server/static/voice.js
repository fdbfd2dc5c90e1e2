/**
 * What is said aloud of the live picture: the line lost and back again, and the phase of the store that is open.
 *
 * Everything else (ages, counts, other stores) changes in silence, or a screen reader would never stop talking.
 *
 * @typedef {import("./book.js").Book} Book
 */
import { announce } from "./notice.js";

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
  #followLine({ link, heardAt }) {
    if (link.state !== "live" && !heardAt) return;
    const line = link.state === "live" ? "live" : "lost";
    if (this.#line && line !== this.#line)
      announce(line === "live" ? "Live again." : "The connection is lost. The page goes on trying.");
    this.#line = line;
  }
}
