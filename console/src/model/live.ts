/** The one stream of events that this page reads, for all views that want to know. */
import { useEffect, useRef } from "preact/hooks";
import { Live, type Event } from "../api/live.ts";

interface Listener {
  onEvent: (event: Event) => void;
  /** Something may have been missed: load what you show. */
  onBegin: () => void;
}

const listeners = new Set<Listener>();

export const live = new Live({
  onEvent: (event) => { for (const one of listeners) one.onEvent(event); },
  onBegin: () => { for (const one of listeners) one.onBegin(); },
});

/** Tells somebody of events; returns what ends it. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => { listeners.delete(listener); };
}

/** Has a view told of events while it is shown. */
export function useLive(onEvent: Listener["onEvent"], onBegin: Listener["onBegin"]): void {
  const latest = useRef({ onEvent, onBegin });
  latest.current = { onEvent, onBegin };
  useEffect(() => listen({
    onEvent: (event) => latest.current.onEvent(event),
    onBegin: () => latest.current.onBegin(),
  }), []);
}
