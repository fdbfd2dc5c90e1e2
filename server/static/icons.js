/** The icons, strokes on a 16 by 16 grid; each is shown beside its word and hidden from screen readers. */

const SVG = "http://www.w3.org/2000/svg";

/** @type {Record<string, string>} */
const STROKES = {
  Pending: "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 1 1 0-12.5ZM8 4.5V8l2.25 1.5",
  Provisioning: "M8 1.75a6.25 6.25 0 1 1-6.25 6.25",
  Ready: "M2.5 8.5l3.5 3.75L13.5 4",
  Degraded: "M8 2L14.5 13.5h-13ZM8 6.5v3.25M8 11.6v.2",
  Failed: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  Deleting: "M2.5 4.25h11M6 4V2.25h4V4M4 4.5l.75 9.25h6.5L12 4.5",
  Deleted: "M3 8h10",
  info: "M8 5.75a2.25 2.25 0 1 1 0 4.5a2.25 2.25 0 1 1 0-4.5Z",
  warning: "M8 2L14.5 13.5h-13ZM8 6.5v3.25M8 11.6v.2",
  error: "M3.5 3.5l9 9M12.5 3.5l-9 9",
};

/**
 * Return a new icon.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "path"));
  drawIcon(svg, name);
  return svg;
}

/**
 * Change an icon, only if it differs.
 * @param {SVGElement} svg
 * @param {string} name
 */
export function drawIcon(svg, name) {
  if (svg.dataset.icon === name) return;
  svg.dataset.icon = name;
  svg.firstElementChild?.setAttribute("d", STROKES[name] ?? STROKES.info);
}
