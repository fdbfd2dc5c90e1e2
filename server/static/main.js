/**
 * The page: checks whether a user is signed in, and shows the dashboard or the form.
 *
 *     live feed -> store cache -> paint (at most once per frame) -> list, phases, panel, status
 *     address   -> view ----------^
 *     buttons   -> REST; the result arrives through the feed, never through the response
 *
 * A hidden tab gets no animation frames; the cache follows the feed nevertheless, and one paint catches up later.
 */
import { onSessionExpired, session } from "./api.js";
import { Dashboard } from "./dashboard.js";
import { asProblem } from "./dialogs.js";
import { byId, setAttribute, setText, show } from "./dom.js";
import { notify } from "./notice.js";
import { SignInForm } from "./signin.js";

const BOOT_RETRY_MS = 5000;

const signIn = new SignInForm(() => start());
const dashboard = new Dashboard(() => leave("You have been signed out. Sign in again."));
let bootTimer = 0;

/** Show the dashboard if a user is signed in, else the form; try again while the server is unreachable. */
async function start() {
  clearTimeout(bootTimer);
  show(byId("boot-again"), false);
  try {
    const { body } = await session.who();
    enter(body?.user ?? "");
  } catch (thrown) {
    const problem = asProblem(thrown);
    if (problem.status === 401) leave("");
    else wait([problem.detail, problem.hint].filter(Boolean).join(" "));
  }
}

/** @param {string} text */
function wait(text) {
  showOnly("boot");
  setText(byId("boot-text"), text);
  show(byId("boot-again"), true);
  bootTimer = setTimeout(start, BOOT_RETRY_MS);
}

/** @param {string} user */
function enter(user) {
  setText(byId("user"), user);
  setAttribute(byId("user"), "title", user);
  showOnly("app");
  dashboard.start();
}

/** @param {string} reason why the user has to sign in again; empty after a sign-out */
function leave(reason) {
  dashboard.stop();
  showOnly("sign-in");
  signIn.open(reason);
}

async function signOut() {
  try {
    await session.close();
  } catch (thrown) {
    const problem = asProblem(thrown);
    if (problem.status !== 401) return notify(`Sign-out failed. You are still signed in. ${problem.detail}`, "error");
  }
  return leave("");
}

/** @param {"boot" | "sign-in" | "app"} name */
function showOnly(name) {
  for (const each of ["boot", "sign-in", "app"]) show(byId(each), each === name);
  for (const each of ["top-actions", "status", "skip"]) show(byId(each), name === "app");
  document.title = name === "sign-in" ? "Sign in · Urumi" : "Urumi";
}

onSessionExpired(() => leave("Your session has expired. Sign in again."));
byId("sign-out").addEventListener("click", signOut);
byId("boot-again").addEventListener("click", start);
start();
