/**
 * The dialog that deletes one store, the one with the uid that was shown when it opened, whatever happens meanwhile.
 *
 * @typedef {import("./store_cache.js").Store} Store
 */
import { deleteStore } from "./api.js";
import { byId, setText, show } from "./dom.js";
import { AskingDialog } from "./dialogs.js";

const SERVING_PHASES = new Set(["Ready", "Degraded"]);

export class DeleteDialog {
  /** @type {Store | null} */
  #store = null;

  /** @param {(storeId: string, wasThere: boolean) => void} onAsked */
  constructor(onAsked) {
    this.onAsked = onAsked;
    this.name = byId("delete-name");
    this.asking = new AskingDialog("delete-dialog", { busyWords: "Deleting…", ask: () => this.#ask() });
    this.name.addEventListener("input", () => this.#check());
  }

  /**
   * @param {Store} store
   * @param {string} staleWords how old the picture is, where it is not live
   */
  open(store, staleWords) {
    this.#store = store;
    const { fields } = this.asking;
    setText(fields.storeId, store.storeId);
    setText(fields.wantedName, store.storeId);
    setText(fields.release, store.releaseName ?? "");
    setText(fields.namespace, store.namespace ?? "");
    setText(fields.stale, staleWords);
    show(fields.stale, staleWords !== "");
    show(fields.typing, SERVING_PHASES.has(store.phase));
    this.name.value = "";
    this.#check();
    this.asking.open(fields.cancel);
  }

  close() {
    this.asking.close();
  }

  async #ask() {
    if (!this.#store || !this.#isConfirmed()) return;
    const { storeId, uid } = this.#store;
    const { body } = await deleteStore(storeId, uid);
    this.close();
    this.onAsked(storeId, body?.deleted !== false);
  }

  #check() {
    this.asking.fields.confirm.disabled = !this.#isConfirmed();
  }

  #isConfirmed() {
    const { storeId = "", phase = "" } = this.#store ?? {};
    return !SERVING_PHASES.has(phase) || this.name.value === storeId;
  }
}
