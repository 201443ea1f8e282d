/** What a button has done: one at a time, and with what went wrong. */
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { newKey } from "../api/client.ts";
import type { Failure } from "../api/failure.ts";
import { caught } from "../model/caught.ts";

export interface Action {
  busy: ReadonlySignal<boolean>;
  failure: ReadonlySignal<Failure | undefined>;
  /**
   * The idempotency key of the next try: the same until one succeeds. What is refused keeps none, so it can be corrected under
   * it; and a refusal, such as "in flight", does not say that an earlier try whose reply was lost has done nothing.
   */
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
      failure.value = caught(problem);
    }
    busy.value = false;
  };
  return { busy, failure, key, run };
}
