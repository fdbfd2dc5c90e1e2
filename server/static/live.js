/**
 * The live feed: one WebSocket of `urumi.v1` that never gives up, as a stream of plain events for the book.
 *
 *     connect -> subscribe(resume?) -> picture, or straight on -> change, heard, ... -> lost -> wait -> connect
 *
 * The feed keeps the place up to which it has seen everything (epoch, seq) and asks to go on from there; the place is
 * no part of what is subscribed to. Not guaranteed: that every state in between is seen. The newest always arrives.
 * A browser does not tell why a handshake was refused, so a line that never opened asks `diagnose` for the reason.
 *
 * @typedef {import("./store_cache.js").FeedEvent} FeedEvent
 * @typedef {import("./store_cache.js").Store} Store
 * @typedef {{refused: boolean, detail: string}} Diagnosis
 */

const SUBPROTOCOL = "urumi.v1";
const OPEN_MS = 10_000;
const SILENCE_MS = 35_000; // the server bookmarks every 10 s; three missed ones mean the line is dead
const STABLE_MS = 10_000; // a line that lived this long starts the waits from the beginning again
const SIGNED_OUT = 4401;
const WAIT_FIRST_MS = 500;
const WAIT_MOST_MS = 30_000;

export class LiveFeed {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {{epoch: string, seq: number} | null} */
  #place = null;
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

  /** Close the line and forget the place. */
  stop() {
    this.#hangUp();
    this.#place = null;
    this.#attempt = 0;
  }

  /** End the wait before the next attempt; a line that has been silent for too long counts as lost. */
  hurry() {
    if (!this.#socket && this.#timer) this.#connect();
    else if (this.#socket && Date.now() > this.#deadline) this.#lose("nothing was heard for too long");
  }

  #connect() {
    this.#hangUp();
    this.#link("connecting");
    const socket = new WebSocket(socketAddress(), SUBPROTOCOL);
    this.#socket = socket;
    this.#expect(OPEN_MS, "no answer within 10 s");
    socket.onopen = () => socket.send(JSON.stringify(this.#subscription()));
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => (code === SIGNED_OUT ? this.#refuse() : this.#lose(closeWords(code, reason)));
  }

  /** Let go of the socket and of every timer; what an old line still delivers is not heard. */
  #hangUp() {
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
   * @param {string} otherwise
   */
  #expect(ms, otherwise) {
    clearTimeout(this.#timer);
    this.#deadline = Date.now() + ms;
    this.#timer = setTimeout(() => this.#lose(otherwise), ms);
  }

  #subscription() {
    const subscribe = { type: "subscribe", stores: "all" };
    return this.#place ? { ...subscribe, resume: this.#place } : subscribe;
  }

  /** @param {string} data */
  #receive(data) {
    this.#expect(SILENCE_MS, "nothing was heard for 35 s");
    if (!this.#liveAt) {
      this.#liveAt = Date.now();
      this.#link("live");
    }
    const frame = parse(data);
    switch (frame.type) {
      case "snapshot":
        return this.#addPart(frame);
      case "delta":
        return this.#change(frame);
      case "bookmark":
        this.#place = { epoch: frame.epoch, seq: frame.seq };
        return this.onEvent({ kind: "heard", ageSeconds: frame.ageSeconds ?? 0, clusterError: frame.clusterError ?? "" });
      case "resync":
        this.#place = null;
        this.#parts = [];
        return undefined;
      case "goodbye":
        return this.#lose(`the server says goodbye: ${frame.reason}`, frame.retryMs ?? 1000);
      default:
        return this.#lose("the server sent something that this page does not know; reload the page");
    }
  }

  /** @param {{epoch: string, seq: number, stores: Store[], last: boolean}} frame */
  #addPart({ epoch, seq, stores, last }) {
    this.#parts = this.#parts.concat(stores);
    if (!last) return;
    const picture = this.#parts;
    this.#parts = [];
    this.#place = { epoch, seq };
    this.onEvent({ kind: "picture", stores: picture });
  }

  /** @param {{seq: number, op: string, storeId: string, uid: string, store?: Store}} frame */
  #change({ seq, op, storeId, uid, store }) {
    if (this.#place) this.#place = { ...this.#place, seq };
    this.onEvent({ kind: "change", storeId, uid, store: op === "upsert" && store ? store : null });
  }

  /**
   * @param {string} detail
   * @param {number} [retryMs] when the server asked to be asked again
   */
  #lose(detail, retryMs) {
    const wasLive = this.#liveAt > 0;
    if (wasLive && Date.now() - this.#liveAt > STABLE_MS) this.#attempt = 0;
    this.#hangUp();
    this.#attempt += 1;
    const wait = retryMs === undefined ? jitteredWait(this.#attempt) : retryMs * (0.5 + Math.random());
    const retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#link("reconnecting", detail, retryAt);
    if (!wasLive) this.#explain(retryAt);
  }

  #refuse() {
    this.#hangUp();
    this.#link("refused");
  }

  /** @param {number} retryAt */
  async #explain(retryAt) {
    const life = this.#life;
    const { refused, detail } = await this.diagnose();
    if (life === this.#life) this.#link(refused ? "refused" : "reconnecting", detail, retryAt);
  }

  /**
   * @param {"connecting" | "live" | "reconnecting" | "refused"} state
   * @param {string} [detail]
   * @param {number} [retryAt]
   */
  #link(state, detail = "", retryAt = 0) {
    this.onEvent({ kind: "link", link: { state, detail, attempt: this.#attempt, retryAt } });
  }
}

function socketAddress() {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
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
function closeWords(code, reason) {
  if (code === 1006) return "the connection broke";
  if (code === 1012) return "the server restarts";
  if (code === 4403) return "the right to watch the stores was taken away: ask for it";
  if (code === 1013) return "the server dropped this connection: it did not keep up";
  return `the server closed the connection (${code}${reason ? ` ${reason}` : ""})`;
}
