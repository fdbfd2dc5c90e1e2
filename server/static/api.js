/**
 * The REST calls. A response is `{status, body}`. Every failure is a `Problem` with a text for the user, whether it comes
 * from the server (RFC 9457), from something on the way, or from a missing response.
 */

const RESPONSE_MS = 20_000;
// The page may be below a path prefix, which only the address of its files shows reliably.
const ROOT = new URL("..", import.meta.url);

/** @type {() => void} */
let sessionExpired = () => {};

/**
 * Register what happens when a call is refused because the session has expired.
 * @param {() => void} handler
 */
export function onSessionExpired(handler) {
  sessionExpired = handler;
}

/** A failed call: `status` is 0 without a response; `errors` belong to fields of the body. */
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

/** Find out over HTTP why the live connection was refused; the browser does not report it. */
export async function whyNotLive() {
  try {
    await session.who();
    // No response to a WebSocket is visible to scripts; a proxy that drops the upgrade is the most frequent reason.
    return { refused: false, detail: "the server responds, but a proxy on the way may not pass on WebSocket upgrades" };
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown;
    const detail = thrown.detail.charAt(0).toLowerCase() + thrown.detail.slice(1).replace(/\.$/, "");
    return { refused: thrown.status === 401, detail };
  }
}

/**
 * Request the next attempt for the store with this uid.
 * @param {string} storeId
 * @param {string} uid
 */
export const retryStore = (storeId, uid) =>
  call("POST", `/stores/${encodeURIComponent(storeId)}/retry?${new URLSearchParams({ uid })}`);

/**
 * Read the admin account of the store with this uid.
 * @param {string} storeId
 * @param {string} uid
 */
export const readCredentials = (storeId, uid) => call("POST", `/stores/${encodeURIComponent(storeId)}/credentials`, { uid });

/**
 * Request the deletion of the store with this uid; the server refuses it for another store of the same name.
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
  const response = await send(method, path, body);
  const isJson = /\bjson\b/.test(response.headers.get("Content-Type") ?? "");
  const content = isJson ? await response.json().catch(() => null) : null;
  if (response.ok) return { status: response.status, body: content };
  if (response.status === 401 && path !== "/session") sessionExpired();
  throw problemOf(response, content);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function send(method, path, body) {
  const headers = new Headers({ Accept: "application/json" });
  if (body) headers.set("Content-Type", "application/json");
  try {
    return await fetch(address(path), {
      method,
      headers,
      body: body ? JSON.stringify(body) : undefined,
      cache: "no-store",
      signal: AbortSignal.timeout(RESPONSE_MS),
    });
  } catch (error) {
    throw noResponse(method, error);
  }
}

/**
 * Return the address of a path of the API.
 * @param {string} path
 */
export const address = (path) => new URL(`.${path}`, ROOT);

/**
 * @param {string} method
 * @param {unknown} error
 */
function noResponse(method, error) {
  const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
  const detail = isTimeout ? `No response from the server within ${RESPONSE_MS / 1000} s.` : "Server unreachable.";
  const hint =
    isTimeout && method !== "GET"
      ? "The request may have taken effect. Check the list before you try again."
      : "Check that the server is running and reachable from this machine, then try again.";
  return new Problem({ status: 0, detail, hint });
}

/**
 * @param {Response} response
 * @param {any} content
 */
function problemOf(response, content) {
  const { status } = response;
  const problem = content && typeof content === "object" ? content : {};
  return new Problem({
    status,
    type: text(problem.type),
    detail: text(problem.detail) || text(problem.title) || `The server responded with HTTP ${status} without a reason.`,
    hint: [text(problem.hint), retryText(response)].filter(Boolean).join(" "),
    instance: text(problem.instance),
    errors: Array.isArray(problem.errors) ? problem.errors : [],
  });
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value : "";
}

/** @param {Response} response */
function retryText(response) {
  const wait = response.headers.get("Retry-After");
  return wait && /^\d+$/.test(wait) ? `Try again in ${wait} s.` : "";
}
