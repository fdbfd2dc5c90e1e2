// All products, a page at a time.
import * as api from "./api.js";
import { announce, busily, element, picture } from "./dom.js";
import { isSoldOut, priceRange } from "./stock.js";

const PAGE_SIZE = 24;

function tile(product) {
  const words = [
    element("span", { class: "tile-title" }, product.title),
    element("span", { class: "price" }, priceRange(product)),
    isSoldOut(product) ? element("span", { class: "gone" }, "Sold out") : null,
  ];
  const link = element("a", { class: "tile", href: `/products/${encodeURIComponent(product.handle)}` });
  link.append(picture(product.thumbnail), element("span", { class: "tile-words" }, words));
  return element("li", {}, link);
}

export async function catalogue({ title, region }) {
  const first = await api.products(region.id, 0, PAGE_SIZE);
  const list = element("ul", { class: "grid" }, first.products.map(tile));
  const content = element("div", {}, element("h1", {}, title));
  if (!first.count) {
    content.append(element("p", { class: "notice" }, "There is nothing for sale yet. Please come back later."));
    return { title: "Shop", content };
  }
  content.append(list);
  if (first.count > first.products.length) content.append(more(region, list, first.count));
  return { title: "Shop", content };
}

function more(region, list, total) {
  const place = element("div");
  const button = element("button", { class: "button", type: "button" }, "Show more");
  button.addEventListener("click", () =>
    busily(button, place, async () => {
      const next = await api.products(region.id, list.children.length, PAGE_SIZE);
      list.append(...next.products.map(tile));
      announce(`${list.children.length} of ${total} products are shown.`);
      button.hidden = list.children.length >= total || !next.products.length;
    }),
  );
  return element("p", {}, button, place);
}
