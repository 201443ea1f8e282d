/** What more than one view stands on: the list of payments, and whether it is live. */
import { batch, signal } from "@preact/signals";
import { api, result } from "../api/client.ts";
import type { Failure } from "../api/failure.ts";
import { apiKey } from "../api/session.ts";
import { caught } from "./caught.ts";
import { EMPTY, ITEMS_MAX, changed, extended, gone, reaches, refreshed, released, settled, taken, without, type Feed } from "./feed.ts";
import type { Payment } from "./possible.ts";

export interface Filter {
  status: string;
  reference: string;
  /** The last four digits of the card, for which the API has no filter: looked for among the newest. */
  last4: string;
  /** `1h`, `24h`, `7d` or empty. */
  since: string;
}

export const feed = signal<Feed>(EMPTY);
export const failure = signal<Failure | undefined>(undefined);
export const loading = signal(true);
/** Where the next page begins; empty: there is none. */
export const more = signal("");
/** Whether the table must stay as it is. */
export const held = signal(false);

const PAGE = 50;
const PAGE_MAX = 100;
/** Of the largest, looked through for one card, or for what was missed. */
const PAGES_MAX = 10;
const FRESH_MILLISECONDS = 3_000;
const SINCE_SECONDS: Record<string, number> = { "1h": 3_600, "24h": 86_400, "7d": 604_800 };
let filter: Filter = { status: "", reference: "", last4: "", since: "" };
let asked = 0;
let ageing: ReturnType<typeof setTimeout> | undefined;

// It is one merchant's: another key sees none of it.
apiKey.subscribe(() => {
  asked++;
  batch(() => { [feed.value, more.value, failure.value, loading.value] = [EMPTY, "", undefined, true]; });
});

/** Shows the newest that a filter wants. */
export async function show(wanted: Filter, now: Date): Promise<void> {
  filter = wanted;
  const mine = ++asked;
  loading.value = true;
  const page = await pageOf(now, "", PAGE).catch((problem: unknown) => void (mine === asked && failed(problem)));
  if (mine !== asked) return;
  batch(() => {
    if (page) begin(page);
    loading.value = false;
  });
}

/** Asks for the newest once more: for what was missed, and what a reset has removed. If nobody answers, the next time will do. */
export async function refresh(now: Date): Promise<void> {
  // What an event tells of while the answer is under way is not in it, and yet there.
  const [mine, known] = [asked, [...feed.value.items, ...feed.value.waiting]];
  const page = await missed(now).catch(() => undefined);
  if (!page || mine !== asked) return;
  batch(() => {
    const left = without(feed.value, gone(known, page.payments, { isAll: !page.next_page_token }));
    if (left.items.length && reaches(left, page.payments)) feed.value = left;
    else if (known.length || page.payments.some(wants)) { // else it may have looked further back already
      begin(page);
      for (const one of left.items) if (!known.includes(one)) told(one);
    }
    take((now) => refreshed(now, page.payments.filter(wants), { held: held.value }));
    failure.value = undefined;
  });
}

/** Puts the next page below. */
export async function showMore(now: Date): Promise<void> {
  const [mine, token] = [asked, more.value];
  const page = await pageOf(now, token, PAGE_MAX).catch(failed);
  if (!page || mine !== asked || token !== more.value) return;
  batch(() => {
    feed.value = extended(feed.value, page.payments);
    more.value = feed.value.items.length < ITEMS_MAX ? page.next_page_token : "";
    failure.value = undefined;
  });
}

/** Takes in a payment as an event tells it. */
export function told(payment: Payment): void {
  take((now) => taken(now, payment, { held: held.value, wanted: wants(payment) }));
}

/** Takes in a payment that is listed, or is not wanted here. */
export function seen(payment: Payment): void {
  feed.value = changed(feed.value, payment);
}

/** Shows what has waited. */
export function showWaiting(): void {
  take(released);
}

/** Whether a filter of the list is set. */
export const isFiltered = (wanted: Filter): boolean => Object.values(wanted).some(Boolean);

function begin(page: Page): void {
  [feed.value, more.value, failure.value] = [{ ...EMPTY, items: page.payments.filter(wants) }, page.next_page_token, undefined];
}

function take(change: (now: Feed) => Feed): void {
  feed.value = change(feed.value);
  if (!feed.value.fresh.size) return;
  ageing ??= setTimeout(() => [ageing, feed.value] = [undefined, settled(feed.value)], FRESH_MILLISECONDS);
}

function wants(payment: Payment): boolean {
  return (
    (!filter.status || filter.status === payment.status) &&
    (!filter.reference || filter.reference === payment.reference) &&
    (!filter.last4 || filter.last4 === payment.card.last4)
  );
}

interface Page {
  payments: Payment[];
  next_page_token: string;
}

/** Returns a page; for one card, for which the API has no filter, what is found of it on several. */
async function pageOf(now: Date, token: string, size: number): Promise<Page> {
  if (!filter.last4) return pageFor(now, token, size);
  return pages(now, token, (payments) => payments.filter(wants).length >= size).then((page) => ({ ...page, payments: page.payments.filter(wants) }));
}

/** Returns the newest, down to what is known. */
const missed = (now: Date): Promise<Page> => pages(now, "", (payments) => reaches(feed.value, payments));

async function pages(now: Date, token: string, isEnough: (payments: Payment[]) => boolean): Promise<Page> {
  let page = await pageFor(now, token, PAGE_MAX);
  for (let count = 1; count < PAGES_MAX && page.next_page_token && !isEnough(page.payments); count++) {
    const next = await pageFor(now, page.next_page_token, PAGE_MAX);
    page = { payments: [...page.payments, ...next.payments], next_page_token: next.next_page_token };
  }
  return page;
}

function pageFor(now: Date, token: string, size: number): Promise<Page> {
  const seconds = SINCE_SECONDS[filter.since];
  const query = {
    page_size: size,
    ...(filter.status && { status: filter.status as Payment["status"] }),
    ...(filter.reference && { reference: filter.reference }),
    ...(seconds && { created_after: new Date(now.getTime() - seconds * 1_000).toISOString() }),
    ...(token && { page_token: token }),
  };
  return result(api.GET("/payments", { params: { query } }));
}

function failed(problem: unknown): undefined {
  failure.value = caught(problem);
}
