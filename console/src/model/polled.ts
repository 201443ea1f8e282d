/** A list whose newest page is asked for again and again: pure, so that what it does can be tried without a page. */

export interface PageOfList<T> {
  /** Newest first. */
  items: readonly T[];
  /** For the next page; empty on the last one. */
  next: string;
}

export interface Polled<T> {
  /** Shown, newest first. */
  items: readonly T[];
  /** Came, and wait until the pointer has gone: the list does not move under it. */
  waiting: readonly T[];
  /** Keys of what has come since the list was shown. */
  fresh: ReadonlySet<string>;
  /** For the next page below; empty if there is none. */
  more: string;
  /** Between those that wait and those that are shown others are missing: then this leads to them. */
  gap?: string | undefined;
}

interface How<T> {
  keyOf: (item: T) => string;
  held: boolean;
}

/** What is shown at most before it begins anew with one page. */
export const ITEMS_MAX = 1_000;

/** Returns the list that a first page begins. */
export const begun = <T>({ items, next }: PageOfList<T>): Polled<T> => ({ items, waiting: [], fresh: new Set(), more: next });

/** Takes in the newest page as it is now: what is new comes on top, what has changed is changed, and what is gone goes. */
export function polled<T>(list: Polled<T>, page: PageOfList<T>, { keyOf, held }: How<T>): Polled<T> {
  const now = new Map(page.items.map((one) => [keyOf(one), one]));
  const known = new Set([...list.items, ...list.waiting].map(keyOf));
  const come = page.items.filter((one) => !known.has(keyOf(one)));
  const fresh = come.length ? new Set([...list.fresh, ...come.map(keyOf)]) : list.fresh;
  const isApart = Boolean(page.next) && come.length === page.items.length && known.size > 0;
  if (held) {
    const latest = (one: T): T => now.get(keyOf(one)) ?? one;
    const waiting = isApart ? page.items : [...come, ...list.waiting.map(latest)];
    return { ...list, items: list.items.map(latest), waiting, fresh, ...(isApart && { gap: page.next }) };
  }
  const shown = list.waiting.length ? released(list) : list;
  const end = shown.items.findLastIndex((one) => now.has(keyOf(one)));
  if (!page.next || end < 0 || shown.items.length > ITEMS_MAX) return { ...begun(page), fresh };
  const below = shown.items.slice(end + 1).filter((one) => !now.has(keyOf(one)));
  return { ...shown, items: [...page.items, ...below], fresh, more: below.length ? shown.more : page.next };
}

/** Shows those that have waited. */
export function released<T>(list: Polled<T>): Polled<T> {
  if (!list.waiting.length) return list;
  const { waiting, gap, fresh } = list;
  if (gap !== undefined) return { items: waiting, waiting: [], fresh, more: gap };
  return { ...list, items: [...waiting, ...list.items], waiting: [] };
}

/** Puts the next page below. */
export function extended<T>(list: Polled<T>, page: PageOfList<T>, keyOf: (item: T) => string): Polled<T> {
  const known = new Set([...list.items, ...list.waiting].map(keyOf));
  return { ...list, items: [...list.items, ...page.items.filter((one) => !known.has(keyOf(one)))], more: page.next };
}

/** Puts an item as it is now in the place of what it was. */
export const changed = <T>(list: Polled<T>, item: T, keyOf: (item: T) => string): Polled<T> => ({
  ...list, items: list.items.map((one) => (keyOf(one) === keyOf(item) ? item : one)),
});
