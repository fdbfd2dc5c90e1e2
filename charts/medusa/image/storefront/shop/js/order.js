// An order that was placed; its address can be kept and opened again.
import * as api from "./api.js";
import { element } from "./dom.js";
import { plainLines, totals } from "./totals.js";
import { money } from "./words.js";

export async function order(context, id) {
  const placed = await api.order(id);
  const to = placed.shipping_address;
  const address = [`${to.first_name} ${to.last_name}`, to.address_1, `${to.postal_code} ${to.city}`];
  const content = element(
    "div",
    {},
    element("h1", {}, "Thank you"),
    element("div", { class: "notice" },
      element("p", {}, "Your order ", element("strong", { id: "order-number" }, `#${placed.display_id}`), " is placed."),
      element("p", {}, `Have ${money(placed.total, placed.currency_code)} in cash ready when it is delivered.`),
      element("p", { class: "quiet" }, `We have ${placed.email} as your address for questions.`),
    ),
    element("h2", {}, "Where to"),
    element("p", {}, address.flatMap((line) => [line, element("br")])),
    element("h2", {}, "What you ordered"),
    plainLines(placed.items, placed.currency_code),
    totals(placed),
    element("a", { class: "button", href: "/" }, "Back to the shop"),
  );
  return { title: `Order #${placed.display_id}`, content };
}
