// A placed order; its address can be bookmarked.
import * as api from "./api.js";
import { element } from "./dom.js";
import { plainLines, totals } from "./totals.js";
import { money } from "./money.js";

export async function order(context, id) {
  const placed = await api.order(id);
  const to = placed.shipping_address;
  const address = [`${to.first_name} ${to.last_name}`, to.address_1, `${to.postal_code} ${to.city}`];
  const content = element(
    "div",
    {},
    element("h1", {}, "Thank you"),
    element("div", { class: "notice" },
      element("p", {}, "Your order ", element("strong", { id: "order-number" }, `#${placed.display_id}`), " has been placed."),
      element("p", {}, `Have ${money(placed.total, placed.currency_code)} in cash ready on delivery.`),
      element("p", { class: "quiet" }, `If we have questions, we will write to ${placed.email}.`),
    ),
    element("h2", {}, "Delivery address"),
    element("p", {}, address.flatMap((line) => [line, element("br")])),
    element("h2", {}, "Items"),
    plainLines(placed.items, placed.currency_code),
    totals(placed),
    element("a", { class: "button", href: "/" }, "Back to the shop"),
  );
  return { title: `Order #${placed.display_id}`, content };
}
