// Numbers, sizes and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const count = (n) => whole.format(n);

export const rate = (n) => (n >= 100 ? whole : tenths).format(n);

export function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
  return `${(unit === 0 || n >= 100 ? whole : tenths).format(n)} ${units[unit]}`;
}

/** Seconds, in the two largest units. */
export function span(seconds) {
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = Math.max(0, parts.findIndex(([, size]) => seconds >= size));
  const shown = [];
  for (const [name, size] of parts.slice(first < 0 ? 3 : first, (first < 0 ? 3 : first) + 2)) {
    const n = Math.floor(seconds / size);
    seconds -= n * size;
    if (n > 0 || shown.length === 0) shown.push(`${n} ${name}`);
  }
  return shown.join(" ");
}

export function ago(seconds) {
  return seconds < 1 ? "just now" : `${span(Math.floor(seconds)).split(" ").slice(0, 2).join(" ")} ago`;
}

/** A time span as .NET writes it: [d.]hh:mm:ss[.fffffff]. */
export function secondsOf(text) {
  const [, days, hours, minutes, seconds] = /^(?:(\d+)\.)?(\d+):(\d+):([\d.]+)$/.exec(text) ?? [0, 0, 0, 0, 0];
  return Number(days ?? 0) * 86400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}
