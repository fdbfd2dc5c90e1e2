// The totals of a cart or an order, and its lines without controls.
import { element, picture } from "./dom.js";
import { money } from "./money.js";

export function lineTitle(line) {
  const variant = line.variant_title && line.variant_title !== line.product_title ? line.variant_title : null;
  const title = element("span", { class: "line-title" }, line.product_title ?? line.title);
  return element("span", {}, title, variant ? element("span", { class: "quiet" }, ` ${variant}`) : null);
}

export function plainLines(items, currency) {
  const lines = items.map((line) =>
    element(
      "li",
      { class: "line" },
      picture(line.thumbnail),
      element("span", {}, lineTitle(line), element("br"), element("span", { class: "quiet" }, `Quantity: ${line.quantity}`)),
      element("span", { class: "price" }, money(line.unit_price * line.quantity, currency)),
    ),
  );
  return element("ul", { class: "lines" }, lines);
}

/** Return the totals; `shipping` is shown instead of the amount if no shipping is chosen yet. */
export function totals(of, shipping = null) {
  const currency = of.currency_code;
  const rows = [["Products", money(of.item_subtotal ?? of.item_total, currency)]];
  if (of.discount_total) rows.push(["Discount", money(-of.discount_total, currency)]);
  rows.push(["Delivery", shipping ?? money(of.shipping_subtotal ?? of.shipping_total, currency)]);
  if (of.tax_total) rows.push(["Taxes", money(of.tax_total, currency)]);
  const list = element("dl", { class: "totals" });
  for (const [name, amount] of rows) list.append(element("dt", {}, name), element("dd", {}, amount));
  list.append(element("dt", { class: "sum" }, "Total"), element("dd", { class: "sum", id: "total" }, money(of.total, currency)));
  return list;
}
