/** What is asked of the gateway for a view: the last answer stays until there is a new one. */
import { batch, useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Failure } from "../api/failure.ts";
import { Asking } from "../model/asking.ts";
import { caught } from "../model/caught.ts";

export interface Loaded<T> {
  /** The last answer; none before the first. */
  data: ReadonlySignal<T | undefined>;
  failure: ReadonlySignal<Failure | undefined>;
  /** Asks once more, and returns when there is an answer. */
  again: () => Promise<void>;
}

/** Asks when shown, and whenever `by` changes: then what was asked before is given up, and `begin` forgets it. */
export function useAsking(ask: (signal: AbortSignal) => Promise<void>, by: readonly unknown[], begin: () => void): { readonly current: Asking } {
  const latest = useRef(ask);
  latest.current = ask;
  const fresh = () => new Asking((signal) => latest.current(signal));
  const asking = useRef(fresh());
  useEffect(() => {
    const mine = (asking.current = fresh());
    begin();
    void mine.again();
    return () => mine.stop();
  }, by);
  return asking;
}

/** Loads what is shown. */
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, by: readonly unknown[]): Loaded<T> {
  const [data, failure] = [useSignal<T | undefined>(undefined), useSignal<Failure | undefined>(undefined)];
  const take = async (signal: AbortSignal) => {
    try {
      const answer = await ask(signal);
      if (!signal.aborted) batch(() => { [data.value, failure.value] = [answer, undefined]; });
    } catch (problem) {
      if (!signal.aborted) failure.value = caught(problem);
    }
  };
  const asking = useAsking(take, by, () => { [data.value, failure.value] = [undefined, undefined]; });
  return { data, failure, again: () => asking.current.again() };
}

/** Asks again every so often while the page is seen. */
export function useEvery(milliseconds: number, ask: () => unknown): void {
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) latest.current(); }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}
