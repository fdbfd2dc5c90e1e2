/** Values as text: ages, durations, times, phases, and the rule for store ids. Nothing here touches the page. */

export const PHASES = /** @type {const} */ ([
  "Pending",
  "Provisioning",
  "Ready",
  "Degraded",
  "Failed",
  "Deleting",
  "Deleted",
]);

export const STORE_ID_MIN_LENGTH = 3;
export const STORE_ID_MAX_LENGTH = 32;
const STORE_ID_PATTERN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dayAndTime = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const everything = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/**
 * Return why an id is invalid, as the end of a sentence; empty if it is valid.
 * @param {string} storeId
 */
export function storeIdProblem(storeId) {
  const length = [...storeId].length;
  if (length < STORE_ID_MIN_LENGTH || length > STORE_ID_MAX_LENGTH)
    return `must have ${STORE_ID_MIN_LENGTH} to ${STORE_ID_MAX_LENGTH} characters`;
  if (!STORE_ID_PATTERN.test(storeId)) return "may hold lower-case letters, digits and inner hyphens only";
  return "";
}

/**
 * Return a count with its noun, singular or plural.
 * @param {number} count
 * @param {string} noun
 */
export function plural(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Return an age in its largest unit, so that the text changes rarely.
 * @param {number} seconds
 */
export function age(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 2 * 86400) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86400)} d`;
}

/**
 * Return a duration in two units, with tenths below ten seconds.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 0.05) return "under 0.1 s";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return twoUnits(Math.floor(whole / 60), "min", whole % 60, "s");
  const minutes = Math.round(whole / 60);
  return twoUnits(Math.floor(minutes / 60), "h", minutes % 60, "min");
}

/**
 * @param {number} many
 * @param {string} unit
 * @param {number} rest
 * @param {string} restUnit
 */
function twoUnits(many, unit, rest, restUnit) {
  return rest ? `${many} ${unit} ${rest} ${restUnit}` : `${many} ${unit}`;
}

/**
 * Return the milliseconds since the epoch of an RFC 3339 time; NaN without a time.
 * @param {string | undefined} time
 */
export function millis(time) {
  return time ? Date.parse(time) : NaN;
}

/**
 * Return the time of day, with the date if it is not today.
 * @param {number} at
 * @param {number} [now]
 */
export function clock(at, now = Date.now()) {
  if (Number.isNaN(at)) return "";
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  return (sameDay ? timeOfDay : dayAndTime).format(at);
}

/**
 * Return the full date and time with its zone, for tooltips.
 * @param {number} at
 */
export function fullTime(at) {
  return Number.isNaN(at) ? "" : everything.format(at);
}

/**
 * Return the address if it is http or https, else an empty string.
 * @param {string | undefined} address
 */
export function webAddress(address) {
  if (!address || !URL.canParse(address)) return "";
  return ["http:", "https:"].includes(new URL(address).protocol) ? address : "";
}

/**
 * Return the host of an address, or the text itself if it is not an address.
 * @param {string | undefined} address
 */
export function hostOf(address) {
  return address && URL.canParse(address) ? new URL(address).host : (address ?? "");
}
