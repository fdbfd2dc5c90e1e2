/**
 * A dialog with a form that asks the server: it stays open until the answer is there, and a refusal is shown inside it.
 *
 * The browser's own modal dialog keeps the focus in, closes with Escape and gives the focus back afterwards.
 */
import { byId, el, fieldsOf } from "./dom.js";
import { Problem } from "./api.js";

export class AskingDialog {
  #isBusy = false;

  /**
   * @param {string} id of the dialog
   * @param {{busyWords: string, ask: () => Promise<void>}} options `ask` throws a Problem where it is refused
   */
  constructor(id, { busyWords, ask }) {
    this.dialog = byId(id);
    this.fields = fieldsOf(this.dialog);
    this.form = this.dialog.querySelector("form");
    this.ask = ask;
    this.busyWords = busyWords;
    this.confirmWords = this.fields.confirm.textContent;
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
      await this.ask();
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
    this.fields.confirm.textContent = isBusy ? this.busyWords : this.confirmWords;
  }
}

/**
 * Show a problem in words: what happened, what to do, and the id that finds it in the server's log.
 * @param {HTMLElement} place
 * @param {unknown} problem null shows nothing
 */
export function showProblem(place, problem) {
  place.replaceChildren();
  if (!problem) return;
  const { detail, hint, instance } = asProblem(problem);
  place.append(el("p", {}, detail));
  if (hint) place.append(el("p", {}, hint));
  if (instance) place.append(el("p", { class: "request-id" }, `Request ${instance}`));
}

/**
 * Return a problem for whatever was thrown; a defect of this page is said as one.
 * @param {unknown} thrown
 * @returns {Problem}
 */
export function asProblem(thrown) {
  if (thrown instanceof Problem) return thrown;
  console.error(thrown);
  return new Problem({ status: 0, detail: "This page met a defect of its own.", hint: `Reload it. (${thrown})` });
}
