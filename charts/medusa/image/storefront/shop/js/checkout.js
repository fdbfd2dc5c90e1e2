// Who and where, how it is delivered, and the order: paid in cash on delivery.
//
// The address is in the form until the order is placed; only the country goes to the backend before, as delivery and
// taxes depend on it and the total must be true before the button is pressed.
import * as basket from "./basket.js";
import { announce, element, errorNotice } from "./dom.js";
import { plainLines, totals } from "./totals.js";
import { ShopError, money } from "./words.js";

const FIELDS = [
  { name: "email", label: "E-mail", type: "email", autocomplete: "email", full: true, where: "cart" },
  { name: "first_name", label: "First name", autocomplete: "given-name" },
  { name: "last_name", label: "Last name", autocomplete: "family-name" },
  { name: "address_1", label: "Street and number", autocomplete: "address-line1", full: true },
  { name: "postal_code", label: "Postal code", autocomplete: "postal-code" },
  { name: "city", label: "City", autocomplete: "address-level2" },
  { name: "province", label: "State or province", autocomplete: "address-level1", optional: true },
  { name: "phone", label: "Phone", type: "tel", autocomplete: "tel", optional: true },
];

export async function checkout(context) {
  const cart = await basket.load();
  if (!cart?.items?.length) {
    const words = element("p", { class: "notice" }, "There is nothing in your cart yet.");
    const link = element("a", { class: "button", href: "/" }, "See the products");
    return { title: "Checkout", content: element("div", {}, element("h1", {}, "Checkout"), words, link) };
  }
  const delivery = element("fieldset", { id: "delivery" });
  const summary = element("section", { class: "box", "aria-label": "Your order" });
  const place = element("div");
  const button = element("button", { class: "button wide", type: "submit" }, "Place the order");
  const form = element("form", { novalidate: true, class: "box" });
  const country = countries(context.region);
  form.append(element("h2", {}, "Where to"), fields(country), delivery, payment(), place, button);

  async function settle(work) {
    button.disabled = true;
    place.replaceChildren();
    try {
      await work();
      button.disabled = false;
    } catch (error) {
      place.replaceChildren(errorNotice(error, () => settle(work)));
    }
  }

  const review = (now) => summary.replaceChildren(element("h2", {}, "Your order"), plainLines(now.items, now.currency_code), totals(now));

  async function offer() {
    await basket.update({ shipping_address: { country_code: country.value } });
    const options = await basket.shippingOptions();
    if (!options.length) throw new ShopError("We do not deliver there yet. Choose another country.");
    delivery.replaceChildren(element("legend", {}, "Delivery"), ...options.map(deliveryChoice));
    await ship(options[0].id);
  }

  const ship = async (optionId) => review(await basket.ship(optionId));

  function deliveryChoice(option, index) {
    const radio = element("input", { type: "radio", name: "delivery", value: option.id, checked: index === 0 });
    radio.addEventListener("change", () => settle(() => ship(option.id)));
    return element("label", { class: "choice" }, radio, `${option.name}, ${money(option.amount, cart.currency_code)}`);
  }

  country.addEventListener("change", () => settle(offer));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (isComplete(form)) settle(() => order(context, form, country.value));
  });
  await offer();
  const content = element("div", {}, element("h1", {}, "Checkout"), element("div", { class: "checkout" }, form, summary));
  return { title: "Checkout", content };
}

async function order(context, form, countryCode) {
  const typed = Object.fromEntries(FIELDS.map(({ name }) => [name, form.elements[name].value.trim()]));
  const { email, ...rest } = typed;
  const address = { ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value)), country_code: countryCode };
  await basket.update({ email, shipping_address: address, billing_address: address });
  const placed = await basket.order();
  announce(`Thank you. Order ${placed.display_id} is placed.`);
  await context.go(`/orders/${placed.id}`);
}

function countries(region) {
  const sorted = [...region.countries].sort((one, other) => one.display_name.localeCompare(other.display_name));
  const options = sorted.map(({ iso_2, display_name }) => element("option", { value: iso_2 }, display_name));
  return element("select", { id: "country", name: "country", autocomplete: "country" }, options);
}

function fields(country) {
  const rows = FIELDS.map((field) => {
    const id = `field-${field.name}`;
    const input = element("input", {
      id,
      name: field.name,
      type: field.type ?? "text",
      autocomplete: field.autocomplete,
      required: !field.optional,
      maxlength: 200,
      "aria-describedby": `${id}-wrong`,
    });
    input.addEventListener("input", () => judge(input, false));
    const label = element("label", { for: id }, field.label, field.optional ? element("span", { class: "hint" }, " (optional)") : null);
    const wrong = element("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
    return element("div", { class: field.full ? "field full" : "field" }, label, input, wrong);
  });
  rows.push(element("div", { class: "field full" }, element("label", { for: "country" }, "Country"), country));
  return element("div", { class: "fields" }, rows);
}

function payment() {
  const radio = element("input", { type: "radio", name: "payment", value: "cash", checked: true });
  const choice = element("label", { class: "choice" }, radio, "Cash on delivery");
  const words = element("p", { class: "quiet" }, "You pay in cash when the parcel is handed to you.");
  return element("fieldset", {}, element("legend", {}, "Payment"), choice, words);
}

function wrongWith(input) {
  if (input.required && !input.value.trim()) return "Please fill this in.";
  if (input.type === "email" && input.validity.typeMismatch) return "This does not look like an e-mail address: name@example.com.";
  return "";
}

function judge(input, strictly) {
  const words = wrongWith(input);
  const note = document.getElementById(`${input.id}-wrong`);
  // While somebody types, a mistake may go away but none is pointed out.
  if (words && !strictly) return false;
  input.setAttribute("aria-invalid", String(Boolean(words)));
  note.textContent = words;
  note.hidden = !words;
  return !words;
}

function isComplete(form) {
  const wrong = FIELDS.map(({ name }) => form.elements[name]).filter((input) => !judge(input, true));
  wrong[0]?.focus();
  return wrong.length === 0;
}
