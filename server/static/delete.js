/**
 * The dialog that deletes a store: the one with the uid that was shown when it opened, also if the list changes meanwhile.
 *
 * @typedef {import("./storecache.js").Store} Store
 */
import { deleteStore } from "./api.js";
import { byId, setText, show } from "./dom.js";
import { RequestDialog } from "./dialogs.js";

const SERVING_PHASES = new Set(["Ready", "Degraded"]);

export class DeleteDialog {
  /** @type {Store | null} */
  #store = null;

  /** @param {(storeId: string, existed: boolean) => void} onAccepted */
  constructor(onAccepted) {
    this.onAccepted = onAccepted;
    this.name = byId("delete-name");
    this.request = new RequestDialog("delete-dialog", { busyText: "Deleting…", send: () => this.#send() });
    this.name.addEventListener("input", () => this.#check());
  }

  /**
   * @param {Store} store
   * @param {string} staleText the age of the data, if it is not live
   */
  open(store, staleText) {
    this.#store = store;
    const { fields } = this.request;
    setText(fields.storeId, store.storeId);
    setText(fields.expectedName, store.storeId);
    setText(fields.release, store.releaseName ?? "");
    setText(fields.namespace, store.namespace ?? "");
    setText(fields.stale, staleText);
    show(fields.stale, staleText !== "");
    show(fields.typing, SERVING_PHASES.has(store.phase));
    this.name.value = "";
    this.#check();
    this.request.open(fields.cancel);
  }

  close() {
    this.request.close();
  }

  async #send() {
    if (!this.#store || !this.#isConfirmed()) return;
    const { storeId, uid } = this.#store;
    const { body } = await deleteStore(storeId, uid);
    this.close();
    this.onAccepted(storeId, body?.deleted !== false);
  }

  #check() {
    this.request.fields.confirm.disabled = !this.#isConfirmed();
  }

  #isConfirmed() {
    const { storeId = "", phase = "" } = this.#store ?? {};
    return !SERVING_PHASES.has(phase) || this.name.value === storeId;
  }
}
