// All products, one page at a time.
import * as api from "./api.js";
import { announce, element, picture, whileBusy } from "./dom.js";
import { isSoldOut, priceRange } from "./stock.js";

const PAGE_SIZE = 24;

function tile(product) {
  const text = [
    element("span", { class: "tile-title" }, product.title),
    element("span", { class: "price" }, priceRange(product)),
    isSoldOut(product) ? element("span", { class: "sold-out" }, "Sold out") : null,
  ];
  const link = element("a", { class: "tile", href: `/products/${encodeURIComponent(product.handle)}` });
  link.append(picture(product.thumbnail), element("span", { class: "tile-text" }, text));
  return element("li", {}, link);
}

export async function catalogue({ title, region }) {
  const first = await api.products(region.id, 0, PAGE_SIZE);
  const list = element("ul", { class: "grid" }, first.products.map(tile));
  const content = element("div", {}, element("h1", {}, title));
  if (!first.count) {
    content.append(element("p", { class: "notice" }, "No products are available yet. Please come back later."));
    return { title: "Shop", content };
  }
  content.append(list);
  if (first.count > first.products.length) content.append(more(region, list, first.count));
  return { title: "Shop", content };
}

function more(region, list, total) {
  const notices = element("div");
  const button = element("button", { class: "button", type: "button" }, "Show more");
  button.addEventListener("click", () =>
    whileBusy(button, notices, async () => {
      const next = await api.products(region.id, list.children.length, PAGE_SIZE);
      list.append(...next.products.map(tile));
      announce(`Showing ${list.children.length} of ${total} products.`);
      button.hidden = list.children.length >= total || !next.products.length;
    }),
  );
  return element("p", {}, button, notices);
}
