/** A list of which the newest are asked for every so often, and at once when something has happened. */
import { batch, useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Failure } from "../api/failure.ts";
import { caught } from "../model/caught.ts";
import { useLive } from "../model/live.ts";
import { begun, changed, extended, polled, released, type PageOfList, type Polled } from "../model/polled.ts";
import { useEvery } from "./load.ts";

export const POLL_MILLISECONDS = 1_500;
/** However many events come: so long between one answer and the next question. */
const PAUSE_MILLISECONDS = 250;

interface Asked<T> {
  /** Asks for a page: the newest without a token. */
  ask: (token: string, signal: AbortSignal) => Promise<PageOfList<T>>;
  keyOf: (item: T) => string;
  /** What it depends on: another value begins another list. */
  by: readonly unknown[];
}

export interface Polling<T> {
  /** None before the first answer. */
  list: ReadonlySignal<Polled<T> | undefined>;
  failure: ReadonlySignal<Failure | undefined>;
  /** Whether the list must stay as it is. */
  held: Signal<boolean>;
  keyOf: (item: T) => string;
  again: () => Promise<void>;
  /** Asks and shows what there is now, wherever the pointer is: the viewer has done something. */
  anew: () => Promise<void>;
  showWaiting: () => void;
  showMore: () => Promise<void>;
  /** Tells of an item that a reply has told of. */
  told: (item: T) => void;
}

/** Asks for the newest while the page is seen. */
export function usePolling<T>({ ask, keyOf, by }: Asked<T>): Polling<T> {
  const list = useSignal<Polled<T> | undefined>(undefined);
  const [failure, held] = [useSignal<Failure | undefined>(undefined), useSignal(false)];
  const asking = useRef(new AbortController());
  const isAsking = useRef(false);
  const isWanted = useRef(false);
  const latest = useRef(ask);
  latest.current = ask;
  const asked = async (token: string, take: (page: PageOfList<T>) => void) => {
    const { signal } = asking.current;
    try {
      const page = await latest.current(token, signal);
      if (!signal.aborted) batch(() => { take(page); failure.value = undefined; });
    } catch (problem) {
      if (!signal.aborted) failure.value = caught(problem);
    }
  };
  const again = async () => {
    isWanted.current = true;
    if (isAsking.current) return; // a slow gateway is not asked twice at once, but once more
    const mine = asking.current;
    isAsking.current = true;
    while (isWanted.current && mine === asking.current) {
      isWanted.current = false;
      await asked("", (page) => { list.value = list.value ? polled(list.value, page, { keyOf, held: held.value }) : begun(page); });
      await new Promise((resume) => { setTimeout(resume, PAUSE_MILLISECONDS); });
    }
    if (mine === asking.current) isAsking.current = false;
  };
  const anew = () => asked("", (page) => { list.value = list.value ? polled(list.value, page, { keyOf, held: false }) : begun(page); });
  const showMore = async () => {
    const token = list.value?.more;
    if (token) await asked(token, (page) => { if (list.value?.more === token) list.value = extended(list.value, page, keyOf); });
  };
  const showWaiting = () => { if (list.value) list.value = released(list.value); };
  const told = (item: T) => { if (list.value) list.value = changed(list.value, item, keyOf); };
  useEffect(() => {
    asking.current = new AbortController();
    isAsking.current = false;
    [list.value, failure.value] = [undefined, undefined];
    void again();
    return () => asking.current.abort();
  }, by);
  useEvery(POLL_MILLISECONDS, again);
  useLive(() => void again(), () => void again());
  return { list, failure, held, keyOf, again, anew, showWaiting, showMore, told };
}
