/**
 * What narrows and orders the list: the text field, the order, one button per phase with how many stores are in it.
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
    for (const [name, { words }] of ORDERS) this.sort.append(el("option", { value: name }, words));
    this.sort.addEventListener("change", () => onSort(this.sort.value));
    for (const phase of PHASES) this.#addButton(phase, onPhase);
  }

  /**
   * Show how many stores are in each phase.
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
   * Show what the view asks for; the text is left alone while somebody types.
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
