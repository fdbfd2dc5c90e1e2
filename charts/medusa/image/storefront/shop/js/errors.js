// Errors as messages for shoppers, each with what to do.

/** An error whose message is shown to the shopper; `retry` adds a button that tries again. */
export class ShopError extends Error {
  constructor(message, { retry = false, code = "" } = {}) {
    super(message);
    this.retry = retry;
    this.code = code;
  }
}

const MESSAGES = {
  insufficient_inventory: "There is not enough stock for this quantity. Choose a smaller quantity or another product.",
  payment_requires_more: "The payment was not accepted.",
};

/** Return the error for a response of the backend that is not a success. */
export function responseError(status, content) {
  if (status === 429) {
    return new ShopError("Too many requests. Wait a moment and try again.", { retry: true });
  }
  if (status >= 500) {
    return new ShopError(`The shop is temporarily unavailable (${status}). Try again in a minute; your cart is kept.`, { retry: true });
  }
  const code = content?.code ?? "";
  const message = MESSAGES[code] ?? content?.message ?? `The shop rejected the request (${status}).`;
  return new ShopError(message, { code: code || content?.type || String(status) });
}

/** Return the error for a request that got no response. */
export function connectionError(cause) {
  const message = cause.name === "TimeoutError" ? "The shop did not respond in time." : "The shop cannot be reached.";
  return new ShopError(`${message} Check your connection and try again; your cart is kept.`, { retry: true });
}
