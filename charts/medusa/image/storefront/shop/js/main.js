// The shop: maps addresses to views, follows links without a reload, and shows all errors.
//
//   address -> route -> view(context, match) -> a title and an element -> <main>
//
// If another navigation starts while a view loads, the view is discarded. The region and the configuration are read once.
import * as api from "./api.js";
import * as basket from "./basket.js";
import { element, errorNotice } from "./dom.js";
import { ShopError } from "./errors.js";
import { catalogue } from "./catalogue.js";
import { product } from "./product.js";
import { cart } from "./cart.js";
import { checkout } from "./checkout.js";
import { order } from "./order.js";

const ROUTES = [
  [/^\/$/, catalogue],
  [/^\/products\/([^/]+)$/, product],
  [/^\/cart$/, cart],
  [/^\/checkout$/, checkout],
  [/^\/orders\/([^/]+)$/, order],
];

const main = document.getElementById("main");
const count = document.getElementById("cart-count");
let context = null;
let navigation = 0;

async function loadContext() {
  const config = await api.configure();
  document.getElementById("shop-name").textContent = config.title;
  return { title: config.title, region: await api.region(), go };
}

function route() {
  for (const [pattern, view] of ROUTES) {
    const match = pattern.exec(location.pathname);
    if (match) return [view, match.slice(1).map(decodeURIComponent)];
  }
  throw new ShopError("Page not found.");
}

async function show() {
  const current = ++navigation;
  main.setAttribute("aria-busy", "true");
  let view;
  try {
    const [render, match] = route();
    context ??= await loadContext();
    view = await render(context, ...match);
  } catch (error) {
    if (!(error instanceof ShopError)) console.error(error);
    const shown = error instanceof ShopError ? error : new ShopError("An error occurred on this page.", { retry: true });
    const home = element("p", {}, element("a", { href: "/" }, "Back to the shop"));
    view = { title: "Sorry", content: element("div", {}, element("h1", {}, "Sorry"), errorNotice(shown, show), home) };
  }
  if (current !== navigation) return;
  main.removeAttribute("aria-busy");
  main.replaceChildren(view.content);
  document.title = context ? `${view.title} · ${context.title}` : view.title;
  if (navigated) focusHeading();
}

// After a navigation, a screen reader would otherwise stay at the position of the link.
let navigated = false;
function focusHeading() {
  const heading = main.querySelector("h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function go(path) {
  history.pushState(null, "", path);
  navigated = true;
  return show();
}

function isShopLink(link) {
  return link && link.origin === location.origin && ROUTES.some(([pattern]) => pattern.test(link.pathname)) && !link.hash;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (!isShopLink(link)) return;
  event.preventDefault();
  go(link.pathname);
});
addEventListener("popstate", () => {
  navigated = true;
  show();
});

basket.onChange((items) => {
  count.hidden = items === 0;
  count.textContent = String(items);
  count.setAttribute("aria-label", items === 1 ? "1 item" : `${items} items`);
});

await show();
// Only for the number of items in the header. If this fails, the cart page shows the error.
if (context && !location.pathname.startsWith("/c")) basket.load().catch(() => {});
