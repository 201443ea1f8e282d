/** Lists that stay as they are while somebody points at them. */
import type { Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

const SCROLLED_PIXELS = 80;

/** Says in `held` whether the pointer is on an element or the page is scrolled, and calls `onFree` when neither is any more. */
export function useHolding(held: Signal<boolean>, onFree: () => void): RefObject<HTMLDivElement | null> {
  const around = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const update = () => {
      const [was, is] = [held.value, Boolean(around.current?.matches(":hover")) || scrollY > SCROLLED_PIXELS];
      held.value = is;
      if (was && !is) onFree();
    };
    const events = ["pointerover", "pointerout", "scroll"] as const;
    for (const one of events) addEventListener(one, update, { passive: true });
    return () => {
      for (const one of events) removeEventListener(one, update);
      held.value = false;
    };
  }, []);
  return around;
}
