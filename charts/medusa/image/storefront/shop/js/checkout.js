// The checkout: contact and address, delivery, and the order with cash on delivery.
//
// The address is sent to the backend when the order is placed. Only the country is sent before, because delivery and taxes
// depend on it and the total must be correct before the order is placed.
import * as basket from "./basket.js";
import { announce, element, errorNotice } from "./dom.js";
import { plainLines, totals } from "./totals.js";
import { ShopError } from "./errors.js";
import { money } from "./money.js";

const FIELDS = [
  { name: "email", label: "E-mail", type: "email", autocomplete: "email", full: true },
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
    const notice = element("p", { class: "notice" }, "Your cart is empty.");
    const link = element("a", { class: "button", href: "/" }, "View products");
    return { title: "Checkout", content: element("div", {}, element("h1", {}, "Checkout"), notice, link) };
  }
  const delivery = element("fieldset", { id: "delivery" });
  const summary = element("section", { class: "box", "aria-label": "Your order" });
  const notices = element("div");
  const button = element("button", { class: "button wide", type: "submit" }, "Place the order");
  const form = element("form", { novalidate: true, class: "box" });
  const country = countries(context.region);
  form.append(element("h2", {}, "Contact and delivery address"), fields(country), delivery, payment(), notices, button);

  async function run(work) {
    button.disabled = true;
    notices.replaceChildren();
    try {
      await work();
      button.disabled = false;
    } catch (error) {
      notices.replaceChildren(errorNotice(error, () => run(work)));
    }
  }

  const review = (cart) => summary.replaceChildren(element("h2", {}, "Your order"), plainLines(cart.items, cart.currency_code), totals(cart));

  async function loadDelivery() {
    await basket.update({ shipping_address: { country_code: country.value } });
    const options = await basket.shippingOptions();
    if (!options.length) throw new ShopError("Delivery to this country is not available. Choose another country.");
    delivery.replaceChildren(element("legend", {}, "Delivery"), ...options.map(deliveryChoice));
    await ship(options[0].id);
  }

  const ship = async (optionId) => review(await basket.ship(optionId));

  function deliveryChoice(option, index) {
    const radio = element("input", { type: "radio", name: "delivery", value: option.id, checked: index === 0 });
    radio.addEventListener("change", () => run(() => ship(option.id)));
    return element("label", { class: "choice" }, radio, `${option.name}, ${money(option.amount, cart.currency_code)}`);
  }

  country.addEventListener("change", () => run(loadDelivery));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (validateForm(form)) run(() => order(context, form, country.value));
  });
  await loadDelivery();
  const content = element("div", {}, element("h1", {}, "Checkout"), element("div", { class: "checkout" }, form, summary));
  return { title: "Checkout", content };
}

async function order(context, form, countryCode) {
  const typed = Object.fromEntries(FIELDS.map(({ name }) => [name, form.elements[name].value.trim()]));
  const { email, ...rest } = typed;
  const address = { ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value)), country_code: countryCode };
  await basket.update({ email, shipping_address: address, billing_address: address });
  const placed = await basket.order();
  announce(`Thank you. Order ${placed.display_id} has been placed.`);
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
      "aria-describedby": `${id}-error`,
    });
    input.addEventListener("input", () => validate(input, false));
    const label = element("label", { for: id }, field.label, field.optional ? element("span", { class: "hint" }, " (optional)") : null);
    const error = element("p", { class: "field-error", id: `${id}-error`, hidden: true });
    return element("div", { class: field.full ? "field full" : "field" }, label, input, error);
  });
  rows.push(element("div", { class: "field full" }, element("label", { for: "country" }, "Country"), country));
  return element("div", { class: "fields" }, rows);
}

function payment() {
  const radio = element("input", { type: "radio", name: "payment", value: "cash", checked: true });
  const choice = element("label", { class: "choice" }, radio, "Cash on delivery");
  const note = element("p", { class: "quiet" }, "Pay in cash when the order is delivered.");
  return element("fieldset", {}, element("legend", {}, "Payment"), choice, note);
}

function validationMessage(input) {
  if (input.required && !input.value.trim()) return "This field is required.";
  if (input.type === "email" && input.validity.typeMismatch) return "Enter a valid e-mail address, such as name@example.com.";
  return "";
}

function validate(input, strictly) {
  const message = validationMessage(input);
  const note = document.getElementById(`${input.id}-error`);
  // While the shopper types, a corrected error is removed but no new one is shown.
  if (message && !strictly) return false;
  input.setAttribute("aria-invalid", String(Boolean(message)));
  note.textContent = message;
  note.hidden = !message;
  return !message;
}

function validateForm(form) {
  const invalid = FIELDS.map(({ name }) => form.elements[name]).filter((input) => !validate(input, true));
  invalid[0]?.focus();
  return invalid.length === 0;
}
