/**
 * The page: decides whether somebody is signed in, and then ties the parts together.
 *
 *     live feed -> book -> paint (at most once per frame) -> list, phases, panel, status
 *     address   -> view ---^
 *     buttons   -> REST; what comes of it arrives through the feed, never through the answer
 *
 * A hidden tab gets no frames to paint in; the book follows the feed all the same, and one paint catches up later.
 */
import { onSessionOver, session } from "./api.js";
import { Dashboard } from "./dashboard.js";
import { asProblem } from "./dialogs.js";
import { byId, setText, show } from "./dom.js";
import { notify } from "./notice.js";
import { SignInForm } from "./signin.js";

const BOOT_RETRY_MS = 5000;

const signIn = new SignInForm(() => start());
const dashboard = new Dashboard(() => leave("You have been signed out. Sign in again to go on."));
let bootTimer = 0;

/** Ask who is signed in, and show the page or the form for it; ask again while nobody answers. */
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

/** @param {string} words */
function wait(words) {
  showOnly("boot");
  setText(byId("boot-words"), words);
  show(byId("boot-again"), true);
  bootTimer = setTimeout(start, BOOT_RETRY_MS);
}

/** @param {string} user */
function enter(user) {
  setText(byId("user"), user);
  showOnly("app");
  dashboard.start();
}

/** @param {string} words why, where the person did not ask for it */
function leave(words) {
  dashboard.stop();
  showOnly("sign-in");
  signIn.open(words);
}

async function signOut() {
  try {
    await session.close();
  } catch (thrown) {
    const problem = asProblem(thrown);
    if (problem.status !== 401) return notify(`You are still signed in. ${problem.detail}`, "error");
  }
  return leave("");
}

/** @param {"boot" | "sign-in" | "app"} name */
function showOnly(name) {
  for (const each of ["boot", "sign-in", "app"]) show(byId(each), each === name);
  for (const each of ["top-actions", "status", "skip"]) show(byId(each), name === "app");
  document.title = name === "sign-in" ? "Sign in · Urumi" : "Urumi";
}

onSessionOver(() => leave("Your sign-in is over. Sign in again to go on."));
byId("sign-out").addEventListener("click", signOut);
byId("boot-again").addEventListener("click", start);
start();
