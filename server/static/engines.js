/** The engines, as the form of a new store lists them: the server writes that list into the page. */

const ENGINES = [...document.querySelectorAll("input[name=engine]")].map((input) => ({
  value: /** @type {HTMLInputElement} */ (input).value,
  name: /** @type {HTMLInputElement} */ (input).dataset.name ?? "",
}));
const NAMES = new Map(ENGINES.map(({ value, name }) => [value, name]));
const BY_NAME = [...ENGINES].sort((one, other) => one.name.localeCompare(other.name)).map(({ value }) => value);

/**
 * Return the name of an engine for display.
 * @param {string} engine
 */
export function engineName(engine) {
  return NAMES.get(engine) ?? engine;
}

/**
 * Return the place of an engine in the order of their names.
 * @param {string} engine
 */
export function engineRank(engine) {
  return BY_NAME.indexOf(engine);
}
