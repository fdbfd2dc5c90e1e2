/**
 * The live feed: one WebSocket of `urumi.v1` that reconnects without limit, as a stream of events for the store cache.
 *
 *     connect -> subscribe(resume?) -> snapshot, if needed -> change, bookmark, ... -> lost -> wait -> connect
 *
 * The feed keeps the position (epoch, seq) up to which it has every change, and resumes from there. Not guaranteed: that
 * every intermediate state arrives. The newest always does. A browser does not report why a handshake was refused, so
 * after a connection that never opened the feed calls `diagnose` for the reason.
 *
 * @typedef {import("./storecache.js").FeedEvent} FeedEvent
 * @typedef {import("./storecache.js").Store} Store
 * @typedef {{refused: boolean, detail: string}} Diagnosis
 */

import { address } from "./api.js";

const SUBPROTOCOL = "urumi.v1";
const OPEN_MS = 10_000;
const SILENCE_MS = 35_000; // the server sends a bookmark every 10 s; three missing ones mean a dead connection
const STABLE_MS = 10_000; // after a connection of this length the waits start from the beginning
const UNAUTHORIZED = 4401;
const WAIT_FIRST_MS = 500;
const WAIT_MOST_MS = 30_000;

export class LiveFeed {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {{epoch: string, seq: number} | null} */
  #position = null;
  /** @type {Store[]} */
  #parts = [];
  #attempt = 0;
  #liveAt = 0;
  #deadline = 0;
  #timer = 0;
  #life = 0;

  /**
   * @param {(event: FeedEvent) => void} onEvent
   * @param {() => Promise<Diagnosis>} diagnose
   */
  constructor(onEvent, diagnose) {
    this.onEvent = onEvent;
    this.diagnose = diagnose;
  }

  /** Connect, and stay connected until `stop`. */
  start() {
    this.#connect();
  }

  /** Close the connection and forget the position. */
  stop() {
    this.#disconnect();
    this.#position = null;
    this.#attempt = 0;
  }

  /** Reconnect now instead of waiting; a connection without data for too long counts as lost. */
  hurry() {
    if (!this.#socket && this.#timer) this.#connect();
    else if (this.#socket && Date.now() > this.#deadline) this.#lose("no data for too long");
  }

  #connect() {
    this.#disconnect();
    this.#report("connecting");
    const socket = new WebSocket(socketAddress(), SUBPROTOCOL);
    this.#socket = socket;
    this.#expect(OPEN_MS, "no response within 10 s");
    socket.onopen = () => socket.send(JSON.stringify(this.#subscription()));
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => (code === UNAUTHORIZED ? this.#refuse() : this.#lose(closeText(code, reason)));
  }

  /** Drop the socket and every timer; later events of an old socket are ignored. */
  #disconnect() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#life += 1;
    this.#liveAt = 0;
    this.#parts = [];
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /**
   * @param {number} ms
   * @param {string} reason why the connection counts as lost after that time
   */
  #expect(ms, reason) {
    clearTimeout(this.#timer);
    this.#deadline = Date.now() + ms;
    this.#timer = setTimeout(() => this.#lose(reason), ms);
  }

  #subscription() {
    const subscribe = { type: "subscribe", stores: "all" };
    return this.#position ? { ...subscribe, resume: this.#position } : subscribe;
  }

  /** @param {string} data */
  #receive(data) {
    this.#expect(SILENCE_MS, "no data for 35 s");
    if (!this.#liveAt) {
      this.#liveAt = Date.now();
      this.#report("live");
    }
    const frame = parse(data);
    switch (frame.type) {
      case "snapshot":
        return this.#addPart(frame);
      case "delta":
        return this.#change(frame);
      case "bookmark":
        this.#position = { epoch: frame.epoch, seq: frame.seq };
        return this.onEvent({ kind: "bookmark", ageSeconds: frame.ageSeconds ?? 0, clusterError: frame.clusterError ?? "" });
      case "resync":
        this.#position = null;
        this.#parts = [];
        return undefined;
      case "goodbye":
        return this.#lose(`the server closed the connection: ${frame.reason}`, frame.retryMs ?? 1000);
      default:
        return this.#lose("the server sent an unknown message; reload the page");
    }
  }

  /** @param {{epoch: string, seq: number, stores: Store[], last: boolean}} frame */
  #addPart({ epoch, seq, stores, last }) {
    this.#parts = this.#parts.concat(stores);
    if (!last) return;
    const snapshot = this.#parts;
    this.#parts = [];
    this.#position = { epoch, seq };
    this.onEvent({ kind: "snapshot", stores: snapshot });
  }

  /** @param {{seq: number, op: string, storeId: string, uid: string, store?: Store}} frame */
  #change({ seq, op, storeId, uid, store }) {
    if (this.#position) this.#position = { ...this.#position, seq };
    this.onEvent({ kind: "change", storeId, uid, store: op === "upsert" && store ? store : null });
  }

  /**
   * @param {string} detail
   * @param {number} [retryMs] the wait that the server proposed
   */
  #lose(detail, retryMs) {
    const wasLive = this.#liveAt > 0;
    if (wasLive && Date.now() - this.#liveAt > STABLE_MS) this.#attempt = 0;
    this.#disconnect();
    this.#attempt += 1;
    const wait = retryMs === undefined ? jitteredWait(this.#attempt) : retryMs * (0.5 + Math.random());
    const retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#report("reconnecting", detail, retryAt);
    if (!wasLive) this.#explain(retryAt);
  }

  #refuse() {
    this.#disconnect();
    this.#report("refused");
  }

  /** @param {number} retryAt */
  async #explain(retryAt) {
    const life = this.#life;
    const { refused, detail } = await this.diagnose();
    if (life === this.#life) this.#report(refused ? "refused" : "reconnecting", detail, retryAt);
  }

  /**
   * @param {"connecting" | "live" | "reconnecting" | "refused"} state
   * @param {string} [detail]
   * @param {number} [retryAt]
   */
  #report(state, detail = "", retryAt = 0) {
    this.onEvent({ kind: "connection", connection: { state, detail, attempt: this.#attempt, retryAt } });
  }
}

function socketAddress() {
  const socket = address("/ws");
  socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
  return socket;
}

/** @param {string} data */
function parse(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {};
  }
}

/** @param {number} attempt */
function jitteredWait(attempt) {
  const most = Math.min(WAIT_MOST_MS, WAIT_FIRST_MS * 2 ** Math.min(attempt, 10));
  return WAIT_FIRST_MS / 2 + Math.random() * (most - WAIT_FIRST_MS / 2);
}

/**
 * @param {number} code
 * @param {string} reason
 */
function closeText(code, reason) {
  if (code === 1006) return "connection lost";
  if (code === 1012) return "the server is restarting";
  if (code === 4403) return "permission denied: needs `watch` on stores";
  if (code === 1013) return "the server dropped the connection, because this page read too slowly";
  return `the server closed the connection (${code}${reason ? ` ${reason}` : ""})`;
}
