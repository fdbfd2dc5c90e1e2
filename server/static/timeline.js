/**
 * The two lists of the panel: the timeline of a store, newest event first, and its conditions.
 *
 * An entry keeps its element while the list changes around it, so the scroll position and the selection stay.
 *
 * @typedef {import("./storecache.js").StoreEvent} StoreEvent
 * @typedef {import("./storecache.js").Condition} Condition
 */
import { el, setAttribute, setText, show, syncChildren } from "./dom.js";
import { clock, duration, fullTime, millis } from "./format.js";
import { drawIcon, icon } from "./icons.js";

const GAP_SECONDS = 10;

export class EventTimeline {
  /** @type {Map<string, EventLine>} */
  #lines = new Map();

  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
  }

  /** @param {StoreEvent[]} events oldest first, as in the status of the store */
  update(events) {
    /** @type {Map<string, EventLine>} */
    const lines = new Map();
    for (const [at, event] of events.entries()) {
      const key = freeKey(`${event.type} ${event.step ?? ""} ${event.message ?? ""}`, lines);
      const line = this.#lines.get(key) ?? new EventLine();
      line.update(event, at ? gapSeconds(events[at - 1], event) : 0);
      lines.set(key, line);
    }
    this.#lines = lines;
    syncChildren(this.list, [...lines.values()].map((line) => line.element).reverse());
  }
}

class EventLine {
  constructor() {
    this.glyph = icon("info");
    this.level = el("span", { class: "sr-only" });
    this.time = el("time");
    this.type = el("strong");
    this.count = el("span", { class: "count" });
    this.took = el("span", { class: "took" });
    this.message = el("p", { class: "message" });
    this.gap = el("p", { class: "gap" });
    const head = el("p", { class: "event-head" }, this.time, " ", this.level, this.type, " ", this.count, " ", this.took);
    this.element = el("li", {}, this.glyph, head, this.message, this.gap);
  }

  /**
   * @param {StoreEvent} event
   * @param {number} gap seconds since the previous event
   */
  update({ type, message = "", timestamp, level = "info", seconds, count = 1 }, gap) {
    const at = millis(timestamp);
    drawIcon(this.glyph, level);
    setAttribute(this.element, "data-level", level);
    setText(this.level, level === "info" ? "" : `${level}: `);
    setText(this.time, clock(at));
    setAttribute(this.time, "datetime", timestamp);
    setAttribute(this.time, "title", fullTime(at));
    setText(this.type, type);
    setText(this.count, count > 1 ? `×${count}` : "");
    setText(this.took, seconds === undefined ? "" : `took ${duration(seconds)}`);
    setText(this.message, message);
    show(this.message, message !== "");
    setText(this.gap, gap >= GAP_SECONDS ? `… ${duration(gap)}` : "");
    show(this.gap, gap >= GAP_SECONDS);
  }
}

export class ConditionList {
  /** @type {Map<string, ConditionLine>} */
  #lines = new Map();

  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
  }

  /** @param {Condition[]} conditions */
  update(conditions) {
    /** @type {Map<string, ConditionLine>} */
    const lines = new Map();
    for (const condition of conditions) {
      const line = this.#lines.get(condition.type) ?? new ConditionLine();
      line.update(condition);
      lines.set(condition.type, line);
    }
    this.#lines = lines;
    syncChildren(this.list, [...lines.values()].map((line) => line.element));
  }
}

class ConditionLine {
  constructor() {
    this.type = el("strong");
    this.status = el("span", { class: "condition-status" });
    this.reason = el("span", { class: "reason" });
    this.since = el("time");
    this.message = el("p", { class: "message" });
    const head = el("p", { class: "condition-head" }, this.type, " ", this.status, " ", this.reason, " ", this.since);
    this.element = el("li", {}, head, this.message);
  }

  /** @param {Condition} condition */
  update({ type, status, reason = "", message = "", lastTransitionTime }) {
    const at = millis(lastTransitionTime);
    setText(this.type, type);
    setText(this.status, status);
    setAttribute(this.element, "data-status", status);
    setText(this.reason, reason);
    setText(this.since, Number.isNaN(at) ? "" : `since ${clock(at)}`);
    setAttribute(this.since, "datetime", lastTransitionTime);
    setAttribute(this.since, "title", fullTime(at));
    setText(this.message, message);
    show(this.message, message !== "");
  }
}

/**
 * Return the key, with a number if an earlier line already has it.
 * @param {string} key
 * @param {Map<string, unknown>} taken
 */
function freeKey(key, taken) {
  let free = key;
  for (let number = 2; taken.has(free); number += 1) free = `${key} #${number}`;
  return free;
}

/**
 * @param {StoreEvent} before
 * @param {StoreEvent} event
 */
function gapSeconds(before, event) {
  const seconds = (millis(event.timestamp) - millis(before.timestamp)) / 1000;
  return seconds - (event.seconds ?? 0);
}
