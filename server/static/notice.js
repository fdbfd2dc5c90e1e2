/**
 * Short messages: a notice that floats over the page, so that nothing moves, and announcements for screen readers.
 *
 * A notice without an error disappears after some seconds; one with an error stays until it is dismissed. Only the newest
 * announcement is spoken.
 */
import { byId, setText, show } from "./dom.js";

const NOTICE_MS = 6000;
const ANNOUNCEMENT_MS = 400;

let noticeTimer = 0;
let announcementTimer = 0;

/**
 * Show and announce a notice.
 * @param {string} text
 * @param {"info" | "error"} [tone]
 */
export function notify(text, tone = "info") {
  const notice = byId("notice");
  clearTimeout(noticeTimer);
  notice.dataset.tone = tone;
  setText(byId("notice-text"), text);
  show(notice, true);
  announce(text);
  if (tone === "info") noticeTimer = setTimeout(dismissNotice, NOTICE_MS);
}

/** Hide the notice; return whether there was one. */
export function dismissNotice() {
  const notice = byId("notice");
  const wasShown = !notice.hidden;
  clearTimeout(noticeTimer);
  show(notice, false);
  return wasShown;
}

/**
 * Announce a text to screen readers only; a newer one within a moment replaces it.
 * @param {string} text
 */
export function announce(text) {
  clearTimeout(announcementTimer);
  announcementTimer = setTimeout(() => setText(byId("announcer"), text), ANNOUNCEMENT_MS);
}

/**
 * Copy a text, and show whether that worked.
 * @param {string} text
 * @param {string} what
 */
export async function copy(text, what) {
  if (await putOnClipboard(text)) notify(`Copied the ${what}: ${text}`);
  else notify(`The browser blocked copying. The ${what} is: ${text}`, "error");
}

/**
 * Put a text on the clipboard; return whether that worked.
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
 * Copy on pages that were loaded over plain HTTP from another machine, where browsers offer no clipboard API.
 * @param {string} text
 */
function copyBySelection(text) {
  const focused = document.activeElement;
  const carrier = document.createElement("textarea");
  carrier.className = "sr-only";
  carrier.value = text;
  // Nothing behind an open dialog can be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(carrier);
  carrier.select();
  const copied = document.execCommand("copy");
  carrier.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
