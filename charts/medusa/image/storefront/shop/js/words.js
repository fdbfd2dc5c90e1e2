// How the shop speaks: money, and errors as sentences that say what to do.

/** What went wrong, in words for the person who shops; `retry` where trying again may help. */
export class ShopError extends Error {
  constructor(words, { retry = false, code = "" } = {}) {
    super(words);
    this.retry = retry;
    this.code = code;
  }
}

export function money(amount, currency) {
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(amount ?? 0);
}

const CODES = {
  insufficient_inventory: "That is more than we have in stock. Choose fewer, or something else.",
  payment_requires_more: "The payment was not accepted.",
};

/** The error for an answer of the backend that is not a success. */
export function refusal(status, content) {
  if (status === 429) {
    return new ShopError("That was a bit fast for us. Wait a moment and try again.", { retry: true });
  }
  if (status >= 500) {
    return new ShopError(`The shop does not answer just now (${status}). Nothing is lost; try again in a minute.`, { retry: true });
  }
  const code = content?.code ?? "";
  const words = CODES[code] ?? content?.message ?? `The shop refused this (${status}).`;
  return new ShopError(words, { code: code || content?.type || String(status) });
}

export function unreachable(cause) {
  const words = cause.name === "TimeoutError" ? "The shop takes too long to answer." : "The shop cannot be reached just now.";
  return new ShopError(`${words} Check your connection and try again; your cart is kept.`, { retry: true });
}
