// One product: its pictures and words, the choice of a variant, how many, and into the cart.
import * as api from "./api.js";
import * as basket from "./basket.js";
import { announce, busily, element, picture } from "./dom.js";
import { available, isBuyable, priceInWords } from "./stock.js";
import { ShopError } from "./words.js";

const FEW = 5;
const MOST = 99;

export async function product({ region }, handle) {
  const found = await api.product(region.id, handle);
  if (!found) throw new ShopError("This product is not for sale here, or not any more.");
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
  const amount = element("input", { type: "number", id: "amount", class: "amount", min: 1, max: MOST, value: 1, inputmode: "numeric" });
  const button = element("button", { class: "button", type: "submit" }, "Add to cart");
  const place = element("div");
  let chosen = variants.find(isBuyable) ?? variants[0];

  function choose(variant) {
    chosen = variant;
    price.textContent = variant ? priceInWords(variant) : "Not for sale";
    const left = variant ? available(variant) : 0;
    stock.textContent = left === 0 ? "Sold out" : left <= FEW ? `Only ${left} left` : "In stock";
    stock.className = left === 0 ? "gone" : "quiet";
    amount.max = Math.min(left, MOST) || 1;
    button.disabled = !variant || !isBuyable(variant);
    place.replaceChildren();
  }

  async function add() {
    const quantity = Number(amount.value);
    await basket.add(region.id, chosen.id, quantity);
    const words = `${quantity} × ${product.title} ${quantity === 1 ? "is" : "are"} in your cart.`;
    announce(words);
    place.replaceChildren(element("div", { class: "notice" }, element("p", {}, words), element("a", { class: "button", href: "/cart" }, "To the cart")));
  }

  const form = element("form", { onsubmit: submit });
  async function submit(event) {
    event.preventDefault();
    await busily(button, place, add);
    button.disabled = !isBuyable(chosen);
  }

  if (variants.length > 1) form.append(choices(variants, chosen, choose));
  form.append(
    element("div", { class: "field" }, element("label", { for: "amount" }, "How many"), amount),
    stock,
    element("p", {}, button),
    place,
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
  return element("fieldset", {}, element("legend", {}, "Choose"), element("div", { class: "choices" }, radios));
}
