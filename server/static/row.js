/**
 * One store as a row of the list. The elements are created once; an update writes only the texts that differ.
 *
 * @typedef {import("./storecache.js").Store} Store
 */
import { el, setAttribute, setText, show } from "./dom.js";
import { engineName } from "./engines.js";
import { age, fullTime, hostOf, millis } from "./format.js";
import { drawIcon, icon } from "./icons.js";

const MOVING_PHASES = new Set(["Pending", "Provisioning", "Deleting"]);

export class Row {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.createdAt = NaN;
    this.link = el("a", { href: `#store=${encodeURIComponent(store.storeId)}`, tabindex: "-1" }, store.storeId);
    this.glyph = icon(store.phase);
    this.word = el("span");
    this.meter = /** @type {HTMLProgressElement} */ (el("progress", { "aria-hidden": "true" }));
    this.now = el("span", { class: "now-text" });
    this.engine = el("td", { role: "cell", class: "cell-engine" });
    this.age = el("time");
    this.event = el("span");
    this.eventAge = el("span", { class: "event-age" });
    this.phase = el("span", { class: "phase" }, this.glyph, this.word);
    this.element = this.#assemble();
    this.update(store);
  }

  /**
   * Show the current state of the store.
   * @param {Store} store
   */
  update(store) {
    this.store = store;
    this.createdAt = millis(store.createdAt);
    setAttribute(this.phase, "data-phase", store.phase);
    drawIcon(this.glyph, store.phase);
    setText(this.word, store.phase);
    setText(this.engine, engineName(store.engine));
    this.#updateNow();
    this.#updateTimes();
    this.tick(Date.now());
  }

  /**
   * Update the ages.
   * @param {number} now
   */
  tick(now) {
    setText(this.age, Number.isNaN(this.createdAt) ? "–" : age((now - this.createdAt) / 1000));
    const eventAt = millis(this.store.events?.at(-1)?.timestamp);
    setText(this.eventAge, Number.isNaN(eventAt) ? "" : `${age((now - eventAt) / 1000)} ago`);
  }

  /** @param {boolean} active whether the row is in the tab order */
  setActive(active) {
    setAttribute(this.link, "tabindex", active ? "0" : "-1");
  }

  /** @param {boolean} selected whether the panel shows this store */
  setSelected(selected) {
    setAttribute(this.link, "aria-current", selected && "true");
    this.element.classList.toggle("selected", selected);
  }

  #assemble() {
    return el(
      "tr",
      { role: "row" },
      el("th", { role: "rowheader", scope: "row", class: "cell-id" }, this.link),
      el("td", { role: "cell", class: "cell-phase" }, this.phase),
      el("td", { role: "cell", class: "cell-now" }, this.meter, this.now),
      this.engine,
      el("td", { role: "cell", class: "cell-age" }, this.age),
      el("td", { role: "cell", class: "cell-event" }, this.event, this.eventAge),
    );
  }

  #updateNow() {
    const { phase, progress } = this.store;
    const moving = Boolean(progress) && MOVING_PHASES.has(phase);
    show(this.meter, moving);
    if (progress && moving) {
      this.meter.max = Math.max(1, progress.total);
      this.meter.value = progress.index;
    }
    const text = nowText(this.store);
    setText(this.now, text);
    setAttribute(this.now, "title", text);
    setAttribute(this.now, "data-tone", nowTone(this.store));
  }

  #updateTimes() {
    const newest = this.store.events?.at(-1);
    const count = newest?.count ?? 1;
    setText(this.event, newest ? `${newest.type}${count > 1 ? ` ×${count}` : ""}` : "");
    setAttribute(this.event, "title", newest && [newest.type, newest.message].filter(Boolean).join(": "));
    setAttribute(this.age, "datetime", this.store.createdAt);
    setAttribute(this.age, "title", `created ${fullTime(this.createdAt)}`);
  }
}

/**
 * Return the state of a store in one line: its progress while it changes, its error if it has one, else its host.
 * @param {Store} store
 */
export function nowText(store) {
  const { phase, progress, lastError } = store;
  if (progress && MOVING_PHASES.has(phase)) {
    const step = `${progress.index}/${progress.total} ${progress.step}`;
    return progress.message ? `${step}: ${progress.message}` : step;
  }
  if (lastError && phase !== "Ready") return `${lastError.reason}: ${lastError.message}`;
  if (phase === "Degraded" || phase === "Failed") return notReadyText(store);
  if (phase === "Pending") return "waiting in the queue";
  if (phase === "Deleting") return "being deleted";
  return hostOf(store.url);
}

/** @param {Store} store */
function notReadyText({ conditions = [] }) {
  const ready = conditions.find(({ type, status }) => type === "Ready" && status !== "True");
  return ready ? [ready.reason, ready.message].filter(Boolean).join(": ") : "no reason given";
}

/** @param {Store} store */
function nowTone({ phase }) {
  if (phase === "Failed" || phase === "Degraded") return "error";
  return MOVING_PHASES.has(phase) ? null : "quiet";
}
