/**
 * The REST calls. Every answer is `{status, body}`; everything that went wrong is a `Problem` with words for a person,
 * whether the server said it (RFC 9457), something between here and there did, or nobody answered at all.
 */

const ANSWER_MS = 20_000;

/** @type {() => void} */
let tellSessionOver = () => {};

/**
 * Be told when a call is refused because nobody is signed in any more.
 * @param {() => void} handler
 */
export function onSessionOver(handler) {
  tellSessionOver = handler;
}

/** What went wrong: `status` is 0 where no answer came; `errors` belong to fields of the body. */
export class Problem extends Error {
  /** @param {{status: number, type?: string, detail: string, hint?: string, instance?: string, errors?: {pointer: string, message: string}[]}} parts */
  constructor({ status, type = "about:blank", detail, hint = "", instance = "", errors = [] }) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.type = type;
    this.detail = detail;
    this.hint = hint;
    this.instance = instance;
    this.errors = errors;
  }
}

export const session = {
  /** @param {string} token */
  open: (token) => call("POST", "/session", { token }),
  who: () => call("GET", "/session"),
  close: () => call("DELETE", "/session"),
};

/**
 * @param {string} storeId
 * @param {string} engine
 */
export const createStore = (storeId, engine) => call("POST", "/stores", { storeId, engine });

/** Ask over HTTP why no live connection came about; the browser does not say. */
export async function whyNotLive() {
  try {
    await session.who();
    return { refused: false, detail: "the server answers, but refuses the live connection" };
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    const detail = thrown.detail.charAt(0).toLowerCase() + thrown.detail.slice(1).replace(/\.$/, "");
    return { refused: thrown.status === 401, detail };
  }
}

/**
 * Ask for the next attempt at exactly the store with that uid.
 * @param {string} storeId
 * @param {string} uid
 */
export const retryStore = (storeId, uid) =>
  call("POST", `/stores/${encodeURIComponent(storeId)}/retry?${new URLSearchParams({ uid })}`);

/**
 * Ask for the admin account of exactly the store with that uid.
 * @param {string} storeId
 * @param {string} uid
 */
export const readCredentials = (storeId, uid) => call("POST", `/stores/${encodeURIComponent(storeId)}/credentials`, { uid });

/**
 * Ask for the deletion of exactly the store with that uid; another one of that name is left alone.
 * @param {string} storeId
 * @param {string} uid
 */
export const deleteStore = (storeId, uid) =>
  call("DELETE", `/stores/${encodeURIComponent(storeId)}?${new URLSearchParams({ uid })}`);

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<{status: number, body: any}>}
 */
async function call(method, path, body) {
  const response = await answer(method, path, body);
  const isJson = /\bjson\b/.test(response.headers.get("Content-Type") ?? "");
  const content = isJson ? await response.json().catch(() => null) : null;
  if (response.ok) return { status: response.status, body: content };
  if (response.status === 401 && path !== "/session") tellSessionOver();
  throw problemOf(response, content);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function answer(method, path, body) {
  const headers = new Headers({ Accept: "application/json" });
  if (body) headers.set("Content-Type", "application/json");
  try {
    return await fetch(path, {
      method,
      headers,
      body: body ? JSON.stringify(body) : undefined,
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch (error) {
    throw noAnswer(method, error);
  }
}

/**
 * @param {string} method
 * @param {unknown} error
 */
function noAnswer(method, error) {
  const late = error instanceof DOMException && error.name === "TimeoutError";
  const detail = late ? `The server did not answer within ${ANSWER_MS / 1000} s.` : "The server does not answer.";
  const hint =
    late && method !== "GET"
      ? "It may have been done all the same: look at the list before you try again."
      : "Check that it runs and that this machine reaches it, then try again.";
  return new Problem({ status: 0, detail, hint });
}

/**
 * @param {Response} response
 * @param {any} content
 */
function problemOf(response, content) {
  const { status } = response;
  const said = content && typeof content === "object" ? content : {};
  return new Problem({
    status,
    type: text(said.type),
    detail: text(said.detail) || text(said.title) || `The answer was HTTP ${status}, without a reason.`,
    hint: [text(said.hint), comeBack(response)].filter(Boolean).join(" "),
    instance: text(said.instance),
    errors: Array.isArray(said.errors) ? said.errors : [],
  });
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : "";
}

/** @param {Response} response */
function comeBack(response) {
  const wait = response.headers.get("Retry-After");
  return wait && /^\d+$/.test(wait) ? `Come back in ${wait} s.` : "";
}
