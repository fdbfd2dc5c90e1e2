// Building elements. Text is never interpreted as markup, because names and descriptions come from a database.

/** Create an element; `properties` that start with "on" are listeners, the others attributes. Children may be text or null. */
export function element(tag, properties = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) created.addEventListener(name.slice(2), value);
    else if (value === true) created.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) created.setAttribute(name, value);
  }
  created.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return created;
}

export function picture(url, alternative = "") {
  const blank = () => element("span", { class: "picture no-picture", "aria-hidden": "true" }, "◇");
  if (!url) return blank();
  const image = element("img", { class: "picture", src: url, alt: alternative, loading: "lazy", width: 400, height: 400 });
  image.addEventListener("error", () => image.replaceWith(blank()), { once: true });
  return image;
}

export function announce(message) {
  document.getElementById("announcer").textContent = message;
}

/** Return a notice about an error, with a button that tries again if that may help. */
export function errorNotice(error, again) {
  const button = error.retry && again ? element("button", { class: "button", type: "button", onclick: again }, "Try again") : null;
  return element("div", { class: "notice bad", role: "alert" }, element("p", {}, error.message), button);
}

/** Run the work of a button, which is disabled meanwhile; an error is shown in `notices`. */
export async function whileBusy(button, notices, work) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  notices.replaceChildren();
  try {
    await work();
  } catch (error) {
    if (!error.message) throw error;
    notices.replaceChildren(errorNotice(error));
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}
