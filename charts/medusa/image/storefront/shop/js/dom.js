// Elements from words. Text is always text, never markup: names and descriptions come from a database.

/** Make an element; `properties` starting with "on" are listeners, the rest attributes. Children may be text or null. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export function picture(url, alternative = "") {
  const blank = () => element("span", { class: "picture no-picture", "aria-hidden": "true" }, "◇");
  if (!url) return blank();
  const image = element("img", { class: "picture", src: url, alt: alternative, loading: "lazy", width: 400, height: 400 });
  image.addEventListener("error", () => image.replaceWith(blank()), { once: true });
  return image;
}

export function announce(words) {
  document.getElementById("announcer").textContent = words;
}

/** A notice about an error, with a button to try again where that may help. */
export function errorNotice(error, again) {
  const button = error.retry && again ? element("button", { class: "button", type: "button", onclick: again }, "Try again") : null;
  return element("div", { class: "notice bad", role: "alert" }, element("p", {}, error.message), button);
}

/** Run work for a button: it cannot be pressed twice, and what goes wrong is said in `place`. */
export async function busily(button, place, work) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  place.replaceChildren();
  try {
    await work();
  } catch (error) {
    if (!error.message) throw error;
    place.replaceChildren(errorNotice(error));
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}
