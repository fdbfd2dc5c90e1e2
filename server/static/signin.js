/** The sign-in form. The token is sent to the server once and not kept; a cookie replaces it. */
import { session } from "./api.js";
import { byId, setAttribute, setText } from "./dom.js";
import { asProblem } from "./dialogs.js";

export class SignInForm {
  /** @param {() => void} onSignedIn */
  constructor(onSignedIn) {
    this.onSignedIn = onSignedIn;
    this.token = byId("token");
    this.message = byId("sign-in-error");
    this.button = byId("sign-in-button");
    byId("sign-in-form").addEventListener("submit", (/** @type {Event} */ event) => this.#submit(event));
  }

  /** @param {string} reason why the user has to sign in again */
  open(reason) {
    this.token.value = "";
    this.#showMessage(reason);
    this.token.focus();
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    if (this.button.disabled) return;
    if (!this.token.value.trim()) return this.#refuse("Enter your access token.");
    this.button.disabled = true;
    this.#showMessage("");
    try {
      await session.open(this.token.value.trim());
      this.token.value = "";
      this.onSignedIn();
    } catch (thrown) {
      const { status, detail, hint } = asProblem(thrown);
      this.#refuse(status === 401 ? "Token not accepted." : [detail, hint].filter(Boolean).join(" "));
    } finally {
      this.button.disabled = false;
    }
  }

  /** @param {string} text */
  #refuse(text) {
    this.#showMessage(text);
    setAttribute(this.token, "aria-invalid", "true");
    this.token.focus();
    this.token.select();
  }

  /** @param {string} text */
  #showMessage(text) {
    setText(this.message, text);
    setAttribute(this.token, "aria-invalid", null);
  }
}
