/**
 * The dialog that creates a store. The rule for ids is checked while the user types; the server checks it again.
 *
 * @typedef {import("./storecache.js").Store} Store
 */
import { Problem, createStore } from "./api.js";
import { byId, setAttribute, setText } from "./dom.js";
import { RequestDialog } from "./dialogs.js";
import { engineName } from "./engines.js";
import { storeIdProblem } from "./format.js";

export class CreateDialog {
  /** @type {Map<string, Store>} */
  #stores = new Map();
  #refusal = "";

  /** @param {(storeId: string, isNew: boolean) => void} onAccepted */
  constructor(onAccepted) {
    this.onAccepted = onAccepted;
    this.id = byId("create-id");
    this.help = byId("create-id-help");
    this.request = new RequestDialog("create-dialog", { busyText: "Creating…", send: () => this.#send() });
    this.id.addEventListener("input", () => this.#check(""));
    this.request.form.addEventListener("change", () => this.#check(this.#refusal));
  }

  /** @param {Map<string, Store>} stores the known stores, to show early that a name is taken */
  open(stores) {
    this.#stores = stores;
    this.request.form.reset();
    this.#check("");
    this.request.open(this.id);
  }

  close() {
    this.request.close();
  }

  async #send() {
    const storeId = this.id.value;
    if (storeIdProblem(storeId)) {
      this.#check(`The id ${storeIdProblem(storeId)}.`);
      this.id.focus();
      return;
    }
    try {
      const { status } = await createStore(storeId, this.#engine());
      this.close();
      this.onAccepted(storeId, status === 202);
    } catch (problem) {
      this.#refuse(problem);
    }
  }

  /** @param {unknown} problem */
  #refuse(problem) {
    const errors = problem instanceof Problem ? problem.errors : [];
    const ofId = errors.find(({ pointer }) => pointer === "/storeId");
    this.id.focus();
    if (!ofId) throw problem;
    this.#check(ofId.message);
  }

  #engine() {
    return new FormData(this.request.form).get("engine")?.toString() ?? "";
  }

  /** @param {string} refusal why the server refused the id; empty while the user types */
  #check(refusal) {
    this.#refusal = refusal;
    const storeId = this.id.value;
    const problem = storeId ? storeIdProblem(storeId) : "";
    const isWrong = Boolean(refusal || (problem && !isOnlyShort(storeId)));
    setAttribute(this.id, "aria-invalid", isWrong ? "true" : null);
    setAttribute(this.help, "data-tone", isWrong ? "error" : null);
    setText(this.help, refusal || this.#helpFor(storeId, problem));
  }

  /**
   * @param {string} storeId
   * @param {string} problem
   */
  #helpFor(storeId, problem) {
    if (!storeId) return "3 to 32 lower-case letters, digits and inner hyphens. It becomes part of the shop's address.";
    if (problem) return `The id ${problem}.`;
    const known = this.#stores.get(storeId);
    if (known) return `Store ${storeId} already exists (${engineName(known.engine)}, ${known.phase}).`;
    return `Creates namespace store-${storeId} and release ${this.#engine()}-${storeId}.`;
  }
}

/**
 * Return whether more characters can make the id valid, so that no error is shown while a user types a valid id.
 * @param {string} storeId
 */
function isOnlyShort(storeId) {
  return !storeIdProblem(`${storeId}00`) || !storeIdProblem(`${storeId}0`);
}
