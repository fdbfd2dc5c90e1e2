/**
 * The filter and the sort order of the list: a text field, the order, and one button per phase with its number of stores.
 *
 * @typedef {import("./view.js").View} View
 */
import { byId, el, setAttribute, setText, show } from "./dom.js";
import { PHASES } from "./format.js";
import { icon } from "./icons.js";
import { ORDERS } from "./order.js";

export class FilterBar {
  /** @type {Map<string, {button: HTMLElement, count: HTMLElement}>} */
  #buttons = new Map();

  /** @param {{onText: (q: string) => void, onPhase: (phase: string) => void, onSort: (sort: string) => void, onDown: () => void}} handlers */
  constructor({ onText, onPhase, onSort, onDown }) {
    this.field = byId("filter");
    this.field.addEventListener("input", () => onText(this.field.value));
    this.field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "ArrowDown" && event.key !== "Enter") return;
      event.preventDefault();
      onDown();
    });
    this.sort = byId("sort");
    for (const [name, { label }] of ORDERS) this.sort.append(el("option", { value: name }, label));
    this.sort.addEventListener("change", () => onSort(this.sort.value));
    for (const phase of PHASES) this.#addButton(phase, onPhase);
  }

  /**
   * Show the number of stores in each phase.
   * @param {Map<string, number>} counts
   */
  update(counts) {
    for (const [phase, { button, count }] of this.#buttons) {
      const number = counts.get(phase) ?? 0;
      setText(count, number.toLocaleString("en"));
      button.classList.toggle("none", number === 0);
      if (phase === "Deleted") show(button, number > 0 || button.getAttribute("aria-pressed") === "true");
    }
  }

  /**
   * Show the view; the text field is not changed while a user types.
   * @param {View} view
   */
  select({ q, phases, sort }) {
    if (this.sort.value !== sort) this.sort.value = sort;
    if (this.field.value !== q && document.activeElement !== this.field) this.field.value = q;
    for (const [phase, { button }] of this.#buttons) setAttribute(button, "aria-pressed", String(phases.has(phase)));
  }

  focus() {
    this.field.focus();
    this.field.select();
  }

  /** Empty the text field. */
  clear() {
    this.field.value = "";
  }

  /**
   * @param {string} phase
   * @param {(phase: string) => void} onPhase
   */
  #addButton(phase, onPhase) {
    const count = el("span", { class: "number" }, "0");
    const attributes = { type: "button", class: "phase-button", "data-phase": phase, "aria-pressed": "false" };
    const button = el("button", attributes, icon(phase), el("span", {}, phase), count);
    button.addEventListener("click", () => onPhase(phase));
    button.hidden = phase === "Deleted";
    this.#buttons.set(phase, { button, count });
    byId("phases").append(button);
  }
}
