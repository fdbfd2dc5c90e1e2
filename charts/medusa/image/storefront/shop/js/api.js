// The Store API of the backend on the same host, with the shop's publishable key. Every call has a deadline and returns the
// response or throws a ShopError.
import { ShopError, connectionError, responseError } from "./errors.js";

const DEADLINE_MS = 15000;
const PRODUCT_FIELDS =
  "id,title,handle,description,thumbnail,*images,*options,*variants,*variants.options,*variants.calculated_price,+variants.inventory_quantity";

let publishableKey = "";

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(DEADLINE_MS) });
  } catch (cause) {
    throw connectionError(cause);
  }
  const content = await response.json().catch(() => null);
  if (!response.ok) throw responseError(response.status, content);
  if (content === null) throw new ShopError("The shop sent an invalid response. Try again.", { retry: true });
  return content;
}

function call(method, path, body) {
  const headers = { "x-publishable-api-key": publishableKey };
  if (body !== undefined) headers["content-type"] = "application/json";
  return request(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

const get = (path, query = {}) => call("GET", `${path}?${new URLSearchParams(query)}`);
const post = (path, body = {}) => call("POST", path, body);

/** Read the configuration that the storefront wrote at its start; it has the key for all later calls. */
export async function configure() {
  const config = await request("/config.json");
  publishableKey = config.publishableKey;
  return config;
}

/** Return the first region that has countries. */
export async function region() {
  const { regions } = await get("/store/regions");
  const usable = regions.find((each) => each.countries?.length);
  if (!usable) throw new ShopError("The shop does not sell in any country yet. Please come back later.", { retry: true });
  return usable;
}

export async function products(regionId, offset, limit) {
  return get("/store/products", { region_id: regionId, limit, offset, fields: PRODUCT_FIELDS, order: "title" });
}

export async function product(regionId, handle) {
  const { products: found } = await get("/store/products", { region_id: regionId, handle, fields: PRODUCT_FIELDS });
  return found[0] ?? null;
}

export const createCart = async (regionId) => (await post("/store/carts", { region_id: regionId })).cart;
export const cart = async (id) => (await get(`/store/carts/${id}`)).cart;
export const updateCart = async (id, change) => (await post(`/store/carts/${id}`, change)).cart;
export const addLine = async (id, variantId, quantity) =>
  (await post(`/store/carts/${id}/line-items`, { variant_id: variantId, quantity })).cart;
export const changeLine = async (id, lineId, quantity) =>
  (await post(`/store/carts/${id}/line-items/${lineId}`, { quantity })).cart;
export const removeLine = async (id, lineId) => (await call("DELETE", `/store/carts/${id}/line-items/${lineId}`)).parent;
export const shippingOptions = async (id) => (await get("/store/shipping-options", { cart_id: id })).shipping_options;
export const chooseShipping = async (id, optionId) =>
  (await post(`/store/carts/${id}/shipping-methods`, { option_id: optionId })).cart;
export const order = async (id) => (await get(`/store/orders/${id}`)).order;

/** Complete a cart with address and shipping as an order with cash on delivery; a repeated call returns the same order. */
export async function placeOrder(id) {
  const { payment_collection: payment } = await post("/store/payment-collections", { cart_id: id });
  await post(`/store/payment-collections/${payment.id}/payment-sessions`, { provider_id: "pp_system_default" });
  const done = await post(`/store/carts/${id}/complete`);
  if (done.type !== "order") throw responseError(400, done.error);
  return done.order;
}
