// Times are the service's: its clock is believed, not the browser's, and it stands while the
// connection is lost, so that nothing grows older that nobody has seen.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Seconds by which an answer's Date may differ without a clock being wrong. */
const TOLERATED = 5;

let ahead = 0;
let stopped = null;

/** Learn from an answer's Date header how far the service's clock is ahead. */
export function learn(date) {
  const seconds = (Date.parse(date) - Date.now()) / 1000;
  if (!Number.isNaN(seconds)) ahead = Math.abs(seconds) > TOLERATED ? seconds : 0;
}

/** Stop the clock at `moment` (of this browser, in ms), or let it go on with null. */
export function stop(moment) {
  stopped = moment;
}

const now = () => (stopped ?? Date.now()) / 1000 + ahead;

export const secondsSince = (time) => Math.max(0, now() - Date.parse(time) / 1000);

/** "12 s", "3 min", "2 h", "2 h 05 min", "3 d 4 h". */
export function duration(seconds) {
  const whole = Math.floor(seconds);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`;
  const [minutes, hours] = [Math.floor((whole % HOUR) / MINUTE), Math.floor((whole % DAY) / HOUR)];
  if (whole < DAY) return `${hours} h${minutes ? ` ${two(minutes)} min` : ""}`;
  return `${Math.floor(whole / DAY)} d${hours ? ` ${hours} h` : ""}`;
}

export const between = (begun, ended) => duration((Date.parse(ended) - Date.parse(begun)) / 1000);

/** Roughly how long ago, for a narrow column. */
export function age(time) {
  const seconds = secondsSince(time);
  if (seconds < MINUTE) return "just now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} d`;
}

/** `2026-11-24 14:03:22`, in this browser's time zone. */
export function local(time, { seconds = true } = {}) {
  const at = new Date(time);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ""}`;
}

/** The time of day alone. */
export const clock = (time) => local(time).slice(11);

/** `2026-11-24 13:03:22 UTC`. */
export function utc(time) {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? String(time) : `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

const two = (number) => String(number).padStart(2, "0");
