/** What is asked of the gateway for a view: the last answer stays until there is a new one. */
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Failure } from "../api/failure.ts";
import { caught } from "../model/caught.ts";

export interface Loaded<T> {
  /** The last answer; none before the first. */
  data: ReadonlySignal<T | undefined>;
  failure: ReadonlySignal<Failure | undefined>;
  /** Whether somebody waits. */
  loading: ReadonlySignal<boolean>;
  /** Asks once more, and returns when there is an answer. */
  again: () => Promise<void>;
}

/** Asks when shown, and whenever `by` changes. Answers that were overtaken are dropped. */
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, by: readonly unknown[]): Loaded<T> {
  const data = useSignal<T | undefined>(undefined);
  const failure = useSignal<Failure | undefined>(undefined);
  const loading = useSignal(true);
  const asking = useRef(new AbortController());
  const again = async () => {
    asking.current.abort();
    const mine = (asking.current = new AbortController());
    loading.value = true;
    try {
      const answer = await ask(mine.signal);
      if (mine.signal.aborted) return;
      [data.value, failure.value] = [answer, undefined];
    } catch (problem) {
      if (!mine.signal.aborted) failure.value = caught(problem);
    }
    if (!mine.signal.aborted) loading.value = false;
  };
  useEffect(() => {
    data.value = undefined;
    void again();
    return () => asking.current.abort();
  }, by);
  return { data, failure, loading, again };
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
