/** Times as people read them. All are the viewer's own time zone; the title of each tells the whole of it. */

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const LONG_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

const UNITS: [number, string][] = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];

/** Returns `14:02:31`. */
export const clock = (time: Date): string => CLOCK.format(time);

/** Returns `Saturday, 28 November 2026`. */
export const day = (time: Date): string => LONG_DAY.format(time);

/** Returns all that is known of a time, in words. */
export const whole = (time: Date): string => WHOLE.format(time);

/** Returns a time as short as it can be told from now: `14:02:31`, `27 Nov, 14:02:31`, `3 Jan 2025, 14:02:31`. */
export function short(time: Date, now: Date): string {
  if (time.toDateString() === now.toDateString()) return clock(time);
  const day = time.getFullYear() === now.getFullYear() ? DAY : YEAR;
  return `${day.format(time)}, ${clock(time)}`;
}

/** Returns how long that is, in its largest unit: `3 d`, `12 min`; `420 ms` below a second, `<1 ms` if it is hardly anything. */
export function span(milliseconds: number): string {
  if (milliseconds > 0 && milliseconds < 0.5) return "<1 ms";
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1_000;
  const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [1, "s"];
  const many = seconds / size;
  return `${unit === "s" && many < 10 ? many.toFixed(1) : Math.floor(many)} ${unit}`;
}

/** Returns how long ago or until: `just now`, `4 min ago`, `in 6 d`. */
export function ago(time: Date, now: Date): string {
  const passed = now.getTime() - time.getTime();
  if (Math.abs(passed) < 2_000) return "just now";
  return passed > 0 ? `${span(passed)} ago` : `in ${span(-passed)}`;
}

/** Returns the milliseconds of a Duration as JSON has it: `"0.035s"`. */
export const millisecondsOf = (duration: string | undefined): number => 1_000 * Number.parseFloat(duration ?? "0");
