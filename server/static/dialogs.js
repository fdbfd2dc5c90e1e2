/**
 * A dialog with a form that sends a request: it stays open until the response arrives, and shows a problem inside.
 *
 * The browser's modal dialog keeps the focus inside, closes with Escape and restores the focus afterwards.
 */
import { byId, el, fieldsOf } from "./dom.js";
import { Problem } from "./api.js";

export class RequestDialog {
  #isBusy = false;

  /**
   * @param {string} id of the dialog
   * @param {{busyText: string, send: () => Promise<void>}} options `send` throws a Problem if the request fails
   */
  constructor(id, { busyText, send }) {
    this.dialog = byId(id);
    this.fields = fieldsOf(this.dialog);
    this.form = this.dialog.querySelector("form");
    this.send = send;
    this.busyText = busyText;
    this.confirmText = this.fields.confirm.textContent;
    this.form.addEventListener("submit", (/** @type {Event} */ event) => this.#submit(event));
    this.fields.cancel.addEventListener("click", () => this.close());
    this.dialog.addEventListener("cancel", (/** @type {Event} */ event) => this.#isBusy && event.preventDefault());
  }

  /** @param {HTMLElement} first the element that gets the focus */
  open(first) {
    showProblem(this.fields.problem, null);
    if (!this.dialog.open) this.dialog.showModal();
    first.focus();
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    if (this.#isBusy) return;
    this.#setBusy(true);
    showProblem(this.fields.problem, null);
    try {
      await this.send();
    } catch (problem) {
      showProblem(this.fields.problem, problem);
    } finally {
      this.#setBusy(false);
    }
  }

  /** @param {boolean} isBusy */
  #setBusy(isBusy) {
    this.#isBusy = isBusy;
    this.form.setAttribute("aria-busy", String(isBusy));
    this.fields.cancel.disabled = isBusy;
    this.fields.confirm.textContent = isBusy ? this.busyText : this.confirmText;
  }
}

/**
 * Show a problem: what happened, what to do, and the request id for the server's log.
 * @param {HTMLElement} place
 * @param {unknown} problem null shows nothing
 */
export function showProblem(place, problem) {
  place.replaceChildren();
  if (!problem) return;
  const { detail, hint, instance } = asProblem(problem);
  place.append(el("p", {}, detail));
  if (hint) place.append(el("p", {}, hint));
  if (instance) place.append(el("p", { class: "request-id" }, `Request id: ${instance}`));
}

/**
 * Return a problem for anything that was thrown; any other error is an internal error of the page.
 * @param {unknown} thrown
 * @returns {Problem}
 */
export function asProblem(thrown) {
  if (thrown instanceof Problem) return thrown;
  console.error(thrown);
  return new Problem({ status: 0, detail: "Internal error in this page.", hint: `Reload the page. (${thrown})` });
}
