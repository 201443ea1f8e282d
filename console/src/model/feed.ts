/** A list whose newest come by themselves: pure, so that what it does can be tried without a page. */
import type { Payment } from "./possible.ts";

export interface Feed {
  /** Shown, newest first. */
  items: readonly Payment[];
  /** Came, and wait until the pointer has gone: the table does not move under it. */
  waiting: readonly Payment[];
  /** Ids of what has just come. */
  fresh: ReadonlySet<string>;
}

export const EMPTY: Feed = { items: [], waiting: [], fresh: new Set() };
/** What is older is for the filters. */
export const ITEMS_MAX = 10_000;

/** Takes in a payment as an event tells it: in its place if it is shown, else at the top, or among those that wait. */
export function taken(feed: Feed, payment: Payment, { held, wanted }: { held: boolean; wanted: boolean }): Feed {
  if (within(feed.items, payment) || within(feed.waiting, payment)) return changed(feed, payment);
  // Ids rise with time: what is older than the last row belongs on a page that is not loaded.
  const last = feed.items.at(-1);
  if (!wanted || (last && payment.id < last.id)) return feed;
  const fresh = new Set([...feed.fresh, payment.id]);
  return held ? { ...feed, waiting: inserted(feed.waiting, payment), fresh } : { ...feed, items: inserted(feed.items, payment), fresh };
}

/** Takes in a payment where it is known already; what tells nothing new leaves the feed the very same, so that nothing is drawn again. */
export function changed(feed: Feed, payment: Payment): Feed {
  const [items, waiting] = [put(feed.items, payment), put(feed.waiting, payment)];
  return items === feed.items && waiting === feed.waiting ? feed : { ...feed, items, waiting };
}

/** Shows those that have waited. */
export const released = (feed: Feed): Feed =>
  feed.waiting.length ? { ...feed, items: inOrder([...feed.waiting, ...feed.items]), waiting: [] } : feed;

/** Takes in the newest as they were asked for: what came while nobody listened. */
export const refreshed = (feed: Feed, page: readonly Payment[], how: { held: boolean }): Feed =>
  [...page].reverse().reduce((now, payment) => taken(now, payment, { ...how, wanted: true }), feed);

/** Which of what is known a page of the newest does not hold though it should: a reset has removed it. */
export function gone(known: readonly Payment[], page: readonly Payment[], { isAll }: { isAll: boolean }): ReadonlySet<string> {
  const there = new Set(page.map((one) => one.id));
  const last = page.at(-1);
  return new Set(known.filter(({ id }) => !there.has(id) && (isAll || !last || id >= last.id)).map(({ id }) => id));
}

/** Leaves out what is gone. */
export function without(feed: Feed, ids: ReadonlySet<string>): Feed {
  if (!ids.size) return feed;
  const left = (list: readonly Payment[]) => list.filter(({ id }) => !ids.has(id));
  return { items: left(feed.items), waiting: left(feed.waiting), fresh: new Set([...feed.fresh].filter((id) => !ids.has(id))) };
}

/** Whether a page of the newest reaches down to what is known, so that nothing is missing between. */
export function reaches(feed: Feed, page: readonly Payment[]): boolean {
  const [newest, last] = [feed.items[0], page.at(-1)];
  return !newest || !last || last.id <= newest.id;
}

/** Puts the next page below. */
export const extended = (feed: Feed, page: readonly Payment[]): Feed => {
  const known = new Set(feed.items.map((one) => one.id));
  return { ...feed, items: [...feed.items, ...page.filter((one) => !known.has(one.id))].slice(0, ITEMS_MAX) };
};

/** What has come is no longer new. */
export const settled = (feed: Feed): Feed => (feed.fresh.size ? { ...feed, fresh: new Set(feed.waiting.map((one) => one.id)) } : feed);

const within = (list: readonly Payment[], { id }: Payment): boolean => list.some((one) => one.id === id);

/** Of two states of one payment the one that changed last, for events may come late. */
function put(list: readonly Payment[], payment: Payment): readonly Payment[] {
  const at = list.findIndex(({ id }) => id === payment.id);
  const one = list[at];
  if (!one || Date.parse(payment.update_time) < Date.parse(one.update_time) || JSON.stringify(one) === JSON.stringify(payment)) return list;
  return list.with(at, payment);
}

/** Among thousands one more costs a copy, and no sorting. */
function inserted(list: readonly Payment[], payment: Payment): readonly Payment[] {
  const under = list.findIndex(({ id }) => id < payment.id);
  return list.toSpliced(under < 0 ? list.length : under, 0, payment).slice(0, ITEMS_MAX);
}

const inOrder = (list: readonly Payment[]): readonly Payment[] =>
  [...list].sort((one, other) => (one.id < other.id ? 1 : -1)).slice(0, ITEMS_MAX);
