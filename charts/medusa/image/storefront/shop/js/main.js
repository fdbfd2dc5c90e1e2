// The shop: addresses to views, links without a reload, and one place where errors become words.
//
//   address -> route -> view(context, match) -> a title and an element -> <main>
//
// A view that is overtaken by another click is thrown away. The region and the configuration are read once.
import * as api from "./api.js";
import * as basket from "./basket.js";
import { element, errorNotice } from "./dom.js";
import { ShopError } from "./words.js";
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
let turn = 0;

async function open() {
  const config = await api.configure();
  document.getElementById("shop-name").textContent = config.title;
  return { title: config.title, region: await api.region(), go };
}

function route() {
  for (const [pattern, view] of ROUTES) {
    const match = pattern.exec(location.pathname);
    if (match) return [view, match.slice(1).map(decodeURIComponent)];
  }
  throw new ShopError("There is nothing at this address.");
}

async function show() {
  const mine = ++turn;
  main.setAttribute("aria-busy", "true");
  let view;
  try {
    const [render, match] = route();
    context ??= await open();
    view = await render(context, ...match);
  } catch (error) {
    if (!(error instanceof ShopError)) console.error(error);
    const known = error instanceof ShopError ? error : new ShopError("Something went wrong in this page.", { retry: true });
    const home = element("p", {}, element("a", { href: "/" }, "Back to the shop"));
    view = { title: "Sorry", content: element("div", {}, element("h1", {}, "Sorry"), errorNotice(known, show), home) };
  }
  if (mine !== turn) return;
  main.removeAttribute("aria-busy");
  main.replaceChildren(view.content);
  document.title = context ? `${view.title} · ${context.title}` : view.title;
  if (moved) focusHeading();
}

// After a click on a link a screen reader would stay where the link was.
let moved = false;
function focusHeading() {
  const heading = main.querySelector("h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function go(path) {
  history.pushState(null, "", path);
  moved = true;
  return show();
}

function isOurs(link) {
  return link && link.origin === location.origin && ROUTES.some(([pattern]) => pattern.test(link.pathname)) && !link.hash;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (!isOurs(link)) return;
  event.preventDefault();
  go(link.pathname);
});
addEventListener("popstate", show);

basket.onChange((pieces) => {
  count.hidden = pieces === 0;
  count.textContent = String(pieces);
  count.setAttribute("aria-label", pieces === 1 ? "1 piece" : `${pieces} pieces`);
});

await show();
// The number in the corner is a nicety: where it cannot be had, the cart itself will say why.
if (context && !location.pathname.startsWith("/c")) basket.load().catch(() => {});
