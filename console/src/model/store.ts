/** What more than one view stands on: the list of payments, and whether it is live. */
import { batch, signal } from "@preact/signals";
import { api, result } from "../api/client.ts";
import type { Failure } from "../api/failure.ts";
import { caught } from "./caught.ts";
import { EMPTY, extended, refreshed, released, taken, type Feed } from "./feed.ts";
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
export const more = signal("");
/** Whether the table must stay as it is. */
export const held = signal(false);

const PAGE = 50;
const PAGES_MAX = 10; // of 100, looked through for one card
const SINCE_SECONDS: Record<string, number> = { "1h": 3_600, "24h": 86_400, "7d": 604_800 };
let filter: Filter = { status: "", reference: "", last4: "", since: "" };
let asked = 0;

/** Shows the newest that a filter wants. */
export async function show(wanted: Filter, now: Date): Promise<void> {
  filter = wanted;
  const mine = ++asked;
  loading.value = true;
  const page = await pageOf(now, "").catch(failed);
  if (mine !== asked) return;
  batch(() => {
    if (page) [feed.value, more.value, failure.value] = [{ ...EMPTY, items: page.payments }, page.next_page_token, undefined];
    loading.value = false;
  });
}

/** Asks for the newest once more: for what was missed, and for payments that no event has told of yet. */
export async function refresh(now: Date): Promise<void> {
  const mine = asked;
  const page = await pageOf(now, "").catch(failed);
  if (!page || mine !== asked) return;
  batch(() => {
    feed.value = refreshed(feed.value, page.payments, { held: held.value });
    failure.value = undefined;
  });
}

/** Puts the next page below. */
export async function showMore(now: Date): Promise<void> {
  const [mine, token] = [asked, more.value];
  const page = await pageOf(now, token).catch(failed);
  if (!page || mine !== asked || token !== more.value) return;
  batch(() => { [feed.value, more.value] = [extended(feed.value, page.payments), page.next_page_token]; });
}

/** Takes in a payment as a reply or an event tells it. */
export function told(payment: Payment): void {
  feed.value = taken(feed.value, payment, { held: held.value, wanted: wants(payment) });
}

/** Shows what has waited. */
export function showWaiting(): void {
  feed.value = released(feed.value);
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

async function pageOf(now: Date, token: string): Promise<Page> {
  if (!filter.last4) return pageFor(now, token, PAGE);
  let page: Page = { payments: [], next_page_token: token };
  for (let count = 0; count < PAGES_MAX && page.payments.length < PAGE; count++) {
    const next = await pageFor(now, page.next_page_token, 100);
    page = { payments: [...page.payments, ...next.payments.filter(wants)], next_page_token: next.next_page_token };
    if (!page.next_page_token) break;
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
