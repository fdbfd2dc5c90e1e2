/**
 * The dialog that asks for a new store: the rule for an id is checked as it is typed, the server has the last word.
 *
 * @typedef {import("./store_cache.js").Store} Store
 */
import { Problem, createStore } from "./api.js";
import { byId, setAttribute, setText } from "./dom.js";
import { AskingDialog } from "./dialogs.js";
import { engineName, storeIdProblem } from "./format.js";

export class CreateDialog {
  /** @type {Map<string, Store>} */
  #stores = new Map();
  #refusal = "";

  /** @param {(storeId: string, isNew: boolean) => void} onAsked */
  constructor(onAsked) {
    this.onAsked = onAsked;
    this.id = byId("create-id");
    this.words = byId("create-id-words");
    this.asking = new AskingDialog("create-dialog", { busyWords: "Asking…", ask: () => this.#ask() });
    this.id.addEventListener("input", () => this.#check(""));
    this.asking.form.addEventListener("change", () => this.#check(this.#refusal));
  }

  /** @param {Map<string, Store>} stores those that are known, to say early that a name is taken */
  open(stores) {
    this.#stores = stores;
    this.asking.form.reset();
    this.#check("");
    this.asking.open(this.id);
  }

  close() {
    this.asking.close();
  }

  async #ask() {
    const storeId = this.id.value;
    if (storeIdProblem(storeId)) {
      this.#check(`The id ${storeIdProblem(storeId)}.`);
      this.id.focus();
      return;
    }
    try {
      const { status } = await createStore(storeId, this.#engine());
      this.close();
      this.onAsked(storeId, status === 202);
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
    return new FormData(this.asking.form).get("engine")?.toString() ?? "";
  }

  /** @param {string} refusal what was wrong with the id when it was last asked for; empty while it is typed */
  #check(refusal) {
    this.#refusal = refusal;
    const storeId = this.id.value;
    const problem = storeId ? storeIdProblem(storeId) : "";
    const isWrong = Boolean(refusal || (problem && !isOnlyShort(storeId)));
    setAttribute(this.id, "aria-invalid", isWrong ? "true" : null);
    setAttribute(this.words, "data-tone", isWrong ? "error" : null);
    setText(this.words, refusal || this.#wordsFor(storeId, problem));
  }

  /**
   * @param {string} storeId
   * @param {string} problem
   */
  #wordsFor(storeId, problem) {
    if (!storeId) return "3 to 32 lower-case letters, digits and inner hyphens. Part of the shop's address.";
    if (problem) return `The id ${problem}.`;
    const known = this.#stores.get(storeId);
    if (known) return `${storeId} exists already: ${engineName(known.engine)}, ${known.phase}.`;
    return `Makes namespace store-${storeId} and release ${this.#engine()}-${storeId}.`;
  }
}

/**
 * Say whether more typing can still make a good id of it, so that nobody is told off in the middle of a word.
 * @param {string} storeId
 */
function isOnlyShort(storeId) {
  return !storeIdProblem(`${storeId}00`) || !storeIdProblem(`${storeId}0`);
}
