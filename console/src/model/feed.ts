/** A list whose newest come by themselves: pure, so that what it does can be tried without a page. */
import type { Payment } from "./possible.ts";

export interface Feed {
  /** Shown, newest first. */
  items: readonly Payment[];
  /** Came, and wait until the pointer has gone: the table does not move under it. */
  waiting: readonly Payment[];
  /** Ids of what has come since the list was shown. */
  fresh: ReadonlySet<string>;
}

export const EMPTY: Feed = { items: [], waiting: [], fresh: new Set() };

/** Takes in a payment as an event tells it: in its place if it is shown, else at the top, or among those that wait. */
export function taken(feed: Feed, payment: Payment, { held, wanted }: { held: boolean; wanted: boolean }): Feed {
  const within = (list: readonly Payment[]) => list.some((one) => one.id === payment.id);
  if (within(feed.items)) return { ...feed, items: feed.items.map((one) => newer(one, payment)) };
  if (within(feed.waiting)) return { ...feed, waiting: feed.waiting.map((one) => newer(one, payment)) };
  // Ids rise with time: what is older than the last row belongs on a page that is not loaded.
  const last = feed.items.at(-1);
  if (!wanted || (last && payment.id < last.id)) return feed;
  const fresh = new Set([...feed.fresh, payment.id]);
  if (held) return { ...feed, waiting: inOrder([...feed.waiting, payment]), fresh };
  return { ...feed, items: inOrder([payment, ...feed.items]), fresh };
}

/** Shows those that have waited. */
export const released = (feed: Feed): Feed =>
  feed.waiting.length ? { ...feed, items: inOrder([...feed.waiting, ...feed.items]), waiting: [] } : feed;

/** Takes in the newest page as it was asked for: what came while nobody listened. */
export const refreshed = (feed: Feed, page: readonly Payment[], how: { held: boolean }): Feed =>
  [...page].reverse().reduce((now, payment) => taken(now, payment, { ...how, wanted: true }), feed);

/** Puts the next page below. */
export const extended = (feed: Feed, page: readonly Payment[]): Feed => {
  const known = new Set(feed.items.map((one) => one.id));
  return { ...feed, items: [...feed.items, ...page.filter((one) => !known.has(one.id))] };
};

/** Of two states of one payment the one that changed last; events may come late. */
const newer = (one: Payment, other: Payment): Payment =>
  one.id === other.id && Date.parse(other.update_time) >= Date.parse(one.update_time) ? other : one;

const inOrder = (list: readonly Payment[]): readonly Payment[] =>
  [...list].sort((one, other) => (one.id < other.id ? 1 : -1));
