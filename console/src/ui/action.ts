/** What a button has done: one at a time, and with what went wrong. */
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { newKey } from "../api/client.ts";
import type { Failure } from "../api/failure.ts";
import { caught } from "../model/caught.ts";

export interface Action {
  busy: ReadonlySignal<boolean>;
  failure: ReadonlySignal<Failure | undefined>;
  /** The idempotency key of the next try: the same while nobody knows what became of the last. */
  key: ReadonlySignal<string>;
  run: () => Promise<void>;
}

/** Carries something out when told to. */
export function useAction(carryOut: (key: string) => Promise<void>): Action {
  const [busy, failure, key] = [useSignal(false), useSignal<Failure | undefined>(undefined), useSignal(newKey())];
  const run = async () => {
    if (busy.value) return;
    busy.value = true;
    try {
      await carryOut(key.value);
      [failure.value, key.value] = [undefined, newKey()];
    } catch (problem) {
      const found = caught(problem);
      failure.value = found;
      if (found.status >= 400 && found.status < 500) key.value = newKey(); // it was refused: the next is another request
    }
    busy.value = false;
  };
  return { busy, failure, key, run };
}
