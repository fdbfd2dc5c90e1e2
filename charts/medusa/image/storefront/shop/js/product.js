// One product: picture, description, variants, quantity, and the button that adds it to the cart.
import * as api from "./api.js";
import * as basket from "./basket.js";
import { announce, element, picture, whileBusy } from "./dom.js";
import { available, isBuyable, priceText } from "./stock.js";
import { ShopError } from "./errors.js";

const LOW_STOCK = 5;
const MAX_QUANTITY = 99;

export async function product({ region }, handle) {
  const found = await api.product(region.id, handle);
  if (!found) throw new ShopError("This product is not available.");
  const content = element(
    "div",
    {},
    element("a", { class: "back", href: "/" }, "← All products"),
    element("article", { class: "product" }, picture(found.images?.[0]?.url ?? found.thumbnail, found.title), details(region, found)),
  );
  return { title: found.title, content };
}

function details(region, product) {
  const variants = product.variants ?? [];
  const price = element("p", { class: "price", "aria-live": "polite" });
  const stock = element("p", { class: "quiet", "aria-live": "polite" });
  const amount = element("input", { type: "number", id: "amount", class: "amount", min: 1, max: MAX_QUANTITY, value: 1, inputmode: "numeric" });
  const button = element("button", { class: "button", type: "submit" }, "Add to cart");
  const notices = element("div");
  let chosen = variants.find(isBuyable) ?? variants[0];

  function choose(variant) {
    chosen = variant;
    price.textContent = variant ? priceText(variant) : "Not available";
    const left = variant ? available(variant) : 0;
    stock.textContent = left === 0 ? "Sold out" : left <= LOW_STOCK ? `Only ${left} left` : "In stock";
    stock.className = left === 0 ? "sold-out" : "quiet";
    amount.max = Math.min(left, MAX_QUANTITY) || 1;
    button.disabled = !variant || !isBuyable(variant);
    notices.replaceChildren();
  }

  async function add() {
    const quantity = Number(amount.value);
    await basket.add(region.id, chosen.id, quantity);
    const message = `Added ${quantity} × ${product.title} to your cart.`;
    announce(message);
    notices.replaceChildren(element("div", { class: "notice" }, element("p", {}, message), element("a", { class: "button", href: "/cart" }, "View cart")));
  }

  const form = element("form", { onsubmit: submit });
  async function submit(event) {
    event.preventDefault();
    await whileBusy(button, notices, add);
    button.disabled = !isBuyable(chosen);
  }

  if (variants.length > 1) form.append(choices(variants, chosen, choose));
  form.append(
    element("div", { class: "field" }, element("label", { for: "amount" }, "Quantity"), amount),
    stock,
    element("p", {}, button),
    notices,
  );
  choose(chosen);
  return element("div", {}, element("h1", {}, product.title), price, element("p", {}, product.description ?? ""), form);
}

function choices(variants, chosen, choose) {
  const radios = variants.map((variant) => {
    const radio = element("input", { type: "radio", name: "variant", value: variant.id, checked: variant === chosen });
    radio.addEventListener("change", () => choose(variant));
    return element("label", { class: "choice" }, radio, available(variant) ? variant.title : `${variant.title} (sold out)`);
  });
  return element("fieldset", {}, element("legend", {}, "Choose an option"), element("div", { class: "choices" }, radios));
}
