/** Turning the clock, what it brings next, and what a drain has left, in words. Pure. */
import type { components } from "../../../clients/typescript/src/api.ts";

type Schemas = components["schemas"];
export type Due = Schemas["Due"];
/** How far a turn may go, and the least of it, in seconds. */
const SECONDS_MAX = 400 * 86_400;

export const KINDS: Record<Schemas["Due.Kind"], string> = {
  KIND_UNSPECIFIED: "Something is due",
  KIND_PAYMENT_EXPIRES: "Payment expires",
  KIND_ACTION_RETRIED: "The bank is asked again",
  KIND_DELIVERY_RETRIED: "Webhook is retried",
};

/** Returns why the clock can't be turned just past a time, or undefined if it can. */
export function whyNotTo({ kind, due_time }: Due, now: Date): string | undefined {
  if (kind === "KIND_ACTION_RETRIED") return "This follows real time: it happens by itself within seconds.";
  return secondsPast(new Date(due_time), now) > SECONDS_MAX ? "The clock moves at most 400 days at a time." : undefined;
}

export const UNITS = [["minutes", "minutes", 60], ["hours", "hours", 3_600], ["days", "days", 86_400]] as const;
export type Unit = (typeof UNITS)[number][0];

/** Reads how far somebody wants to turn the clock; returns the seconds, or what is wrong with it. */
export function secondsOf(typed: string, unit: Unit): { seconds: number } | { problem: string } {
  if (!/^\s*\d+(\.\d+)?\s*$/.test(typed)) return { problem: "Enter a number, for example 36." };
  const size = UNITS.find(([name]) => name === unit)?.[2] ?? 1;
  const seconds = Math.round(Number(typed) * size);
  if (seconds < 1) return { problem: "At least one second." };
  return seconds > SECONDS_MAX ? { problem: "At most 400 days at a time." } : { seconds };
}

/** Returns how many seconds bring the clock just past a time: at least one. */
export const secondsPast = (due: Date, now: Date): number => Math.max(1, Math.ceil((due.getTime() - now.getTime()) / 1_000) + 1);

/** What a drain has left undone. */
export interface Left {
  pending_actions: number;
  due_expiries: number;
  pending_events: number;
  due_deliveries: number;
}

const LEFT: readonly (readonly [keyof Left, string, string])[] = [
  ["pending_actions", "action without the bank's answer", "actions without the bank's answer"],
  ["due_expiries", "payment past its time", "payments past their time"],
  ["pending_events", "event that no relay has taken", "events that no relay has taken"],
  ["due_deliveries", "delivery that is due", "deliveries that are due"],
];

/** Returns what is left, in words. */
export const leftOf = (left: Left): string[] =>
  LEFT.filter(([name]) => left[name] > 0).map(([name, one, many]) => `${left[name]} ${left[name] === 1 ? one : many}`);

/** Returns how far that is, in two units at most: `7 days 1 s`, `3 h 20 min`. */
export function far(milliseconds: number): string {
  let rest = Math.round(milliseconds / 1_000);
  const parts: string[] = [];
  for (const [size, unit] of [[86_400, "day"], [3_600, "h"], [60, "min"], [1, "s"]] as const) {
    const many = Math.floor(rest / size);
    if (many) parts.push(`${many} ${unit}${unit === "day" && many > 1 ? "s" : ""}`);
    rest -= many * size;
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}
