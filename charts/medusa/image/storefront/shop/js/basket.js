// The cart of this browser. The backend keeps it; here is only its id, and how many pieces are in it.
import * as api from "./api.js";

const PLACE = "urumi.cart";

let current = null;
let listener = () => {};

export function onChange(listen) {
  listener = listen;
}

function take(cart) {
  current = cart;
  if (cart) localStorage.setItem(PLACE, cart.id);
  else localStorage.removeItem(PLACE);
  listener((cart?.items ?? []).reduce((sum, line) => sum + line.quantity, 0));
  return cart;
}

/** The cart as the backend has it now; null where there is none, or it became an order. */
export async function load() {
  const id = localStorage.getItem(PLACE);
  if (!id) return take(null);
  try {
    const cart = await api.cart(id);
    return take(cart.completed_at ? null : cart);
  } catch (error) {
    // Forgotten by the backend: a new one is made when it is needed. Anything else may pass.
    if (error.code === "not_found") return take(null);
    throw error;
  }
}

export async function add(regionId, variantId, quantity) {
  const cart = current ?? (await load()) ?? take(await api.createCart(regionId));
  return take(await api.addLine(cart.id, variantId, quantity));
}

export const change = async (lineId, quantity) => take(await api.changeLine(current.id, lineId, quantity));
export const remove = async (lineId) => take(await api.removeLine(current.id, lineId));
export const update = async (content) => take(await api.updateCart(current.id, content));
export const ship = async (optionId) => take(await api.chooseShipping(current.id, optionId));
export const shippingOptions = () => api.shippingOptions(current.id);

export async function order() {
  const placed = await api.placeOrder(current.id);
  take(null);
  return placed;
}
