/** The form that signs in. The token goes to the server once and is kept nowhere here; a cookie takes its place. */
import { session } from "./api.js";
import { byId, setAttribute, setText } from "./dom.js";
import { asProblem } from "./dialogs.js";

export class SignInForm {
  /** @param {() => void} onSignedIn */
  constructor(onSignedIn) {
    this.onSignedIn = onSignedIn;
    this.token = byId("token");
    this.words = byId("sign-in-error");
    this.button = byId("sign-in-button");
    byId("sign-in-form").addEventListener("submit", (/** @type {Event} */ event) => this.#submit(event));
  }

  /** @param {string} words why somebody has to sign in, where that is not plain */
  open(words) {
    this.token.value = "";
    this.#say(words);
    this.token.focus();
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    if (this.button.disabled) return;
    if (!this.token.value.trim()) return this.#refuse("Enter the token.");
    this.button.disabled = true;
    this.#say("");
    try {
      await session.open(this.token.value.trim());
      this.token.value = "";
      this.onSignedIn();
    } catch (thrown) {
      const { status, detail, hint } = asProblem(thrown);
      this.#refuse(status === 401 ? "That token was not accepted." : [detail, hint].filter(Boolean).join(" "));
    } finally {
      this.button.disabled = false;
    }
  }

  /** @param {string} words */
  #refuse(words) {
    this.#say(words);
    setAttribute(this.token, "aria-invalid", "true");
    this.token.focus();
    this.token.select();
  }

  /** @param {string} words */
  #say(words) {
    setText(this.words, words);
    setAttribute(this.token, "aria-invalid", null);
  }
}
