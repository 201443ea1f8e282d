/** A list of which the newest are asked for every so often, and at once when something has happened. */
import { batch, useSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Failure } from "../api/failure.ts";
import { caught } from "../model/caught.ts";
import { useLive } from "../model/live.ts";
import { begun, changed, extended, polled, released, type PageOfList, type Polled } from "../model/polled.ts";
import { useAsking, useEvery } from "./load.ts";

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
  const asked = async (token: string, signal: AbortSignal, take: (page: PageOfList<T>) => void) => {
    try {
      const page = await ask(token, signal);
      if (!signal.aborted) batch(() => { take(page); failure.value = undefined; });
    } catch (problem) {
      if (!signal.aborted) failure.value = caught(problem);
    }
  };
  const newest = (signal: AbortSignal, isHeld: () => boolean) =>
    asked("", signal, (page) => { list.value = list.value ? polled(list.value, page, { keyOf, held: isHeld() }) : begun(page); });
  const look = async (signal: AbortSignal) => {
    await newest(signal, () => held.value);
    await new Promise((resume) => { setTimeout(resume, PAUSE_MILLISECONDS); });
  };
  const asking = useAsking(look, by, () => { [list.value, failure.value] = [undefined, undefined]; });
  const again = () => asking.current.again();
  const anew = () => newest(asking.current.signal, () => false);
  const showMore = async () => {
    const token = list.value?.more;
    if (token) await asked(token, asking.current.signal, (page) => { if (list.value?.more === token) list.value = extended(list.value, page, keyOf); });
  };
  const showWaiting = () => { if (list.value) list.value = released(list.value); };
  const told = (item: T) => { if (list.value) list.value = changed(list.value, item, keyOf); };
  useEvery(POLL_MILLISECONDS, again);
  useLive(() => void again(), () => void again());
  return { list, failure, held, keyOf, again, anew, showWaiting, showMore, told };
}
