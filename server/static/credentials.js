/**
 * The dialog that shows a store's admin account: after a confirmation, and only while it is open.
 *
 * It reads the account of the store with the uid that was shown when it opened. The account is only in the text of the
 * page, and removed when the dialog closes.
 *
 * @typedef {import("./storecache.js").Store} Store
 */
import { readCredentials } from "./api.js";
import { setText, show } from "./dom.js";
import { RequestDialog } from "./dialogs.js";
import { webAddress } from "./format.js";
import { putOnClipboard } from "./notice.js";

export class CredentialsDialog {
  /** @type {Store | null} */
  #store = null;

  constructor() {
    this.request = new RequestDialog("credentials-dialog", { busyText: "Loading…", send: () => this.#send() });
    const { fields } = this.request;
    fields.copyUser.addEventListener("click", () => this.#copy("user name", fields.username));
    fields.copyPassword.addEventListener("click", () => this.#copy("password", fields.password));
    this.request.dialog.addEventListener("close", () => this.#clear());
  }

  /** @param {Store} store */
  open(store) {
    this.#clear();
    this.#store = store;
    setText(this.request.fields.storeId, store.storeId);
    this.request.open(this.request.fields.cancel);
  }

  close() {
    this.request.close();
  }

  async #send() {
    if (!this.#store) return;
    const { storeId, uid, simulated } = this.#store;
    const { body } = await readCredentials(storeId, uid);
    if (!this.request.dialog.open) return;
    const { fields } = this.request;
    setText(fields.username, body.username);
    setText(fields.password, body.password);
    fields.signInPage.href = webAddress(body.adminUrl);
    show(fields.signInPage, !simulated && webAddress(body.adminUrl) !== "");
    this.#showAccount(true);
    fields.copyPassword.focus();
  }

  #clear() {
    const { fields } = this.request;
    this.#store = null;
    for (const field of [fields.username, fields.password, fields.copied]) setText(field, "");
    fields.signInPage.removeAttribute("href");
    this.#showAccount(false);
  }

  /** @param {boolean} isShown */
  #showAccount(isShown) {
    const { fields } = this.request;
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
    setText(this.request.fields.copied, isCopied ? `Copied the ${what}.` : `The browser blocked copying. Select the ${what} and copy it.`);
  }
}
