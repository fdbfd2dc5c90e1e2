/**
 * The dialog that shows a store's admin account, after a question, for as long as it is open.
 *
 * It asks for the account of the store with the uid that was shown when it opened. What it got is in the page's texts
 * only, and out of them when the dialog closes.
 *
 * @typedef {import("./store_cache.js").Store} Store
 */
import { readCredentials } from "./api.js";
import { setText, show } from "./dom.js";
import { AskingDialog } from "./dialogs.js";
import { webAddress } from "./format.js";
import { putOnClipboard } from "./notice.js";

export class CredentialsDialog {
  /** @type {Store | null} */
  #store = null;

  constructor() {
    this.asking = new AskingDialog("credentials-dialog", { busyWords: "Asking…", ask: () => this.#ask() });
    const { fields } = this.asking;
    fields.copyUser.addEventListener("click", () => this.#copy("user name", fields.username));
    fields.copyPassword.addEventListener("click", () => this.#copy("password", fields.password));
    this.asking.dialog.addEventListener("close", () => this.#forget());
  }

  /** @param {Store} store */
  open(store) {
    this.#forget();
    this.#store = store;
    setText(this.asking.fields.storeId, store.storeId);
    this.asking.open(this.asking.fields.cancel);
  }

  close() {
    this.asking.close();
  }

  async #ask() {
    if (!this.#store) return;
    const { storeId, uid, simulated } = this.#store;
    const { body } = await readCredentials(storeId, uid);
    if (!this.asking.dialog.open) return;
    const { fields } = this.asking;
    setText(fields.username, body.username);
    setText(fields.password, body.password);
    fields.signInPage.href = webAddress(body.adminUrl);
    show(fields.signInPage, !simulated && webAddress(body.adminUrl) !== "");
    this.#showAccount(true);
    fields.copyPassword.focus();
  }

  #forget() {
    const { fields } = this.asking;
    this.#store = null;
    for (const field of [fields.username, fields.password, fields.copied]) setText(field, "");
    fields.signInPage.removeAttribute("href");
    this.#showAccount(false);
  }

  /** @param {boolean} isShown */
  #showAccount(isShown) {
    const { fields } = this.asking;
    show(fields.question, !isShown);
    show(fields.confirm, !isShown);
    show(fields.account, isShown);
    setText(fields.cancel, isShown ? "Close" : "Cancel");
  }

  /**
   * @param {string} what
   * @param {HTMLElement} field
   */
  async #copy(what, field) {
    const isCopied = await putOnClipboard(field.textContent ?? "");
    setText(this.asking.fields.copied, isCopied ? `Copied the ${what}.` : `This browser does not let the page copy: select the ${what}.`);
  }
}
