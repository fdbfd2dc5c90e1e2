// Availability and prices.
import { money } from "./money.js";

/** Return the quantity that can be ordered; Infinity if stock is not managed. */
export function available(variant) {
  if (!variant.manage_inventory || variant.allow_backorder) return Infinity;
  return Math.max(0, variant.inventory_quantity ?? 0);
}

export function priceOf(variant) {
  const price = variant.calculated_price;
  return price?.calculated_amount === undefined || price?.calculated_amount === null ? null : price;
}

export function isBuyable(variant) {
  return available(variant) > 0 && priceOf(variant) !== null;
}

export function priceText(variant) {
  const price = priceOf(variant);
  return price ? money(price.calculated_amount, price.currency_code) : "No price yet";
}

/** Return the price, or "from" the lowest price if the variants differ. */
export function priceRange(product) {
  const prices = (product.variants ?? []).map(priceOf).filter((price) => price !== null);
  if (!prices.length) return "No price yet";
  const amounts = prices.map((price) => price.calculated_amount);
  const lowest = money(Math.min(...amounts), prices[0].currency_code);
  return Math.min(...amounts) === Math.max(...amounts) ? lowest : `from ${lowest}`;
}

export function isSoldOut(product) {
  return !(product.variants ?? []).some((variant) => available(variant) > 0);
}
