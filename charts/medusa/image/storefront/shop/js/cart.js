// The cart, with editable quantities.
import * as basket from "./basket.js";
import { announce, element, errorNotice, picture } from "./dom.js";
import { lineTitle, totals } from "./totals.js";
import { money } from "./money.js";

export async function cart() {
  const content = element("div");
  draw(content, await basket.load());
  return { title: "Cart", content };
}

function draw(content, cart, error = null) {
  const lines = cart?.items ?? [];
  content.replaceChildren(element("h1", {}, "Your cart"));
  if (error) content.append(errorNotice(error));
  if (!lines.length) {
    content.append(
      element("p", { class: "notice" }, "Your cart is empty."),
      element("a", { class: "button", href: "/" }, "View products"),
    );
    return;
  }
  const sorted = [...lines].sort((one, other) => one.created_at.localeCompare(other.created_at));
  content.append(
    element("ul", { class: "lines" }, sorted.map((line) => row(content, cart, line))),
    totals(cart, "calculated at checkout"),
    element("a", { class: "button wide", href: "/checkout" }, "Go to checkout"),
  );
}

function row(content, cart, line) {
  const id = `amount-${line.id}`;
  const amount = element("input", { id, class: "amount", type: "number", min: 1, max: 99, value: line.quantity, inputmode: "numeric" });
  const remove = element("button", { class: "plain", type: "button", "aria-label": `Remove ${line.product_title}` }, "Remove");

  async function change(work, message) {
    amount.disabled = remove.disabled = true;
    try {
      draw(content, await work());
      announce(message);
    } catch (error) {
      // The change failed, so show the current cart again.
      draw(content, cart, error);
    }
  }

  amount.addEventListener("change", () => {
    const quantity = Math.max(1, Math.floor(Number(amount.value)) || 1);
    change(() => basket.change(line.id, quantity), `Quantity of ${line.product_title}: ${quantity}`);
  });
  remove.addEventListener("click", () => change(() => basket.remove(line.id), `Removed ${line.product_title} from your cart.`));
  return element(
    "li",
    { class: "line" },
    picture(line.thumbnail),
    lineTitle(line),
    element("span", { class: "price" }, money(line.unit_price * line.quantity, cart.currency_code)),
    element("div", { class: "line-tools" }, element("label", { for: id, class: "visually-hidden" }, `Quantity of ${line.product_title}`), amount, remove),
  );
}
