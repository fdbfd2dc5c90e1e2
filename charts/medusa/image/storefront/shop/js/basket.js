// The cart of this browser. The backend stores it; the browser stores its id and shows the number of items.
import * as api from "./api.js";

const STORAGE_KEY = "urumi.cart";

let current = null;
let listener = () => {};

export function onChange(callback) {
  listener = callback;
}

function setCart(cart) {
  current = cart;
  if (cart) localStorage.setItem(STORAGE_KEY, cart.id);
  else localStorage.removeItem(STORAGE_KEY);
  listener((cart?.items ?? []).reduce((sum, line) => sum + line.quantity, 0));
  return cart;
}

/** Load the cart from the backend; null if there is none or it became an order. */
export async function load() {
  const id = localStorage.getItem(STORAGE_KEY);
  if (!id) return setCart(null);
  try {
    const cart = await api.cart(id);
    return setCart(cart.completed_at ? null : cart);
  } catch (error) {
    // The backend does not have this cart, so `add` creates a new one. Other errors may be temporary.
    if (error.code === "not_found") return setCart(null);
    throw error;
  }
}

export async function add(regionId, variantId, quantity) {
  const cart = current ?? (await load()) ?? setCart(await api.createCart(regionId));
  return setCart(await api.addLine(cart.id, variantId, quantity));
}

export const change = async (lineId, quantity) => setCart(await api.changeLine(current.id, lineId, quantity));
export const remove = async (lineId) => setCart(await api.removeLine(current.id, lineId));
export const update = async (content) => setCart(await api.updateCart(current.id, content));
export const ship = async (optionId) => setCart(await api.chooseShipping(current.id, optionId));
export const shippingOptions = () => api.shippingOptions(current.id);

export async function order() {
  const placed = await api.placeOrder(current.id);
  setCart(null);
  return placed;
}
