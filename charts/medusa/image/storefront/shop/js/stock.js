// What can be bought, and for how much.
import { money } from "./words.js";

/** How many pieces can be ordered: Infinity where stock is not counted. */
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

export function priceInWords(variant) {
  const price = priceOf(variant);
  return price ? money(price.calculated_amount, price.currency_code) : "No price yet";
}

/** "from" the lowest price where the variants differ. */
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
