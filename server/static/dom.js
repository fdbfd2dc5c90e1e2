/**
 * Building and updating the DOM. Text is inserted as text, never as markup, so text from a store cannot add elements.
 *
 * Lists change through `syncChildren` only: it does not touch nodes that stay, so focus, selection and scroll position
 * survive every update.
 */

/**
 * Return a new element with attributes and children; absent attribute values are omitted.
 * @param {string} tag
 * @param {Record<string, string | boolean | null | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, value);
  node.append(...children);
  return node;
}

/**
 * Return the element of the page with that id.
 * @param {string} id
 * @returns {any} an element of the type that the markup of the page defines
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no element with id ${JSON.stringify(id)}`);
  return node;
}

/**
 * Return the elements under `root` that carry `data-field`, by its value.
 * @param {ParentNode} root
 * @returns {Record<string, any>}
 */
export function fieldsOf(root) {
  const fields = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-field]"));
  return Object.fromEntries([...fields].map((node) => [node.dataset.field, node]));
}

/**
 * Set the text of a node, only if it differs.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Set an attribute, only if it differs; false and absent values remove it.
 * @param {Element} node
 * @param {string} name
 * @param {string | boolean | null | undefined} value
 */
export function setAttribute(node, name, value) {
  if (value === false || value === null || value === undefined) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : value;
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/**
 * Show or hide an element, only if it differs.
 * @param {HTMLElement} node
 * @param {boolean} shown
 */
export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/**
 * Make `wanted` the children of `parent`, in that order; nodes already in place are left alone.
 * @param {Element} parent
 * @param {Element[]} wanted
 */
export function syncChildren(parent, wanted) {
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let cursor = parent.firstElementChild;
  for (const node of wanted) {
    if (node === cursor) cursor = cursor.nextElementSibling;
    else place(parent, node, cursor);
  }
}

/**
 * @param {any} parent
 * @param {Element} node
 * @param {Element | null} before
 */
function place(parent, node, before) {
  // moveBefore keeps the focus inside a moved node; browsers without it lose the focus of moved nodes.
  if (node.parentNode === parent && "moveBefore" in parent) parent.moveBefore(node, before);
  else parent.insertBefore(node, before);
}
