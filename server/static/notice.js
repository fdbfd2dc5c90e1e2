/**
 * Short words to the person: a notice that floats over the page (so that nothing moves) and a voice for screen readers.
 *
 * Good news leaves by itself, bad news stays until it is dismissed. The voice says one thing at a time, the newest.
 */
import { byId, setText, show } from "./dom.js";

const GOOD_NEWS_MS = 6000;
const VOICE_MS = 400;

let noticeTimer = 0;
let voiceTimer = 0;

/**
 * Show a notice and say it.
 * @param {string} words
 * @param {"info" | "error"} [tone]
 */
export function notify(words, tone = "info") {
  const notice = byId("notice");
  clearTimeout(noticeTimer);
  notice.dataset.tone = tone;
  setText(byId("notice-words"), words);
  show(notice, true);
  announce(words);
  if (tone === "info") noticeTimer = setTimeout(dismissNotice, GOOD_NEWS_MS);
}

/** Take the notice away; say whether there was one. */
export function dismissNotice() {
  const notice = byId("notice");
  const wasShown = !notice.hidden;
  clearTimeout(noticeTimer);
  show(notice, false);
  return wasShown;
}

/**
 * Say something to screen readers only; what follows within a moment replaces it.
 * @param {string} words
 */
export function announce(words) {
  clearTimeout(voiceTimer);
  voiceTimer = setTimeout(() => setText(byId("announcer"), words), VOICE_MS);
}

/**
 * Copy a text, and say whether that worked.
 * @param {string} text
 * @param {string} what
 */
export async function copy(text, what) {
  if (await putOnClipboard(text)) notify(`Copied the ${what}: ${text}`);
  else notify(`This browser does not let the page copy. The ${what}: ${text}`, "error");
}

/**
 * Put a text on the clipboard; say whether that worked.
 * @param {string} text
 */
export async function putOnClipboard(text) {
  return (await copyByClipboard(text)) || copyBySelection(text);
}

/** @param {string} text */
async function copyByClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The way for pages that came over plain HTTP from another machine, where there is no clipboard object.
 * @param {string} text
 */
function copyBySelection(text) {
  const focused = document.activeElement;
  const carrier = document.createElement("textarea");
  carrier.className = "sr-only";
  carrier.value = text;
  // Behind an open dialog nothing can be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(carrier);
  carrier.select();
  const copied = document.execCommand("copy");
  carrier.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
