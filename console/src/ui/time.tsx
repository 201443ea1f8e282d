/** Times that go on by themselves. */
import { signal } from "@preact/signals";
import { ahead, skew } from "../model/clock.ts";
import { ago, short, whole } from "../model/time.ts";

export { ahead } from "../model/clock.ts";

/** The time of the viewer, once a second. */
export const now = signal(new Date());
setInterval(() => { if (!document.hidden) now.value = new Date(); }, 1_000);

/** The gateway's time. */
export const gatewayNow = (): Date => new Date(now.value.getTime() + ahead.value + skew.value);

/** Shows a time of the gateway: when it was, and how long ago on a second look. */
export function Time({ at, relative = false }: { at: string | undefined; relative?: boolean }) {
  if (!at) return <span class="muted">–</span>;
  const time = new Date(at);
  const text = relative ? ago(time, gatewayNow()) : short(time, gatewayNow());
  return <time class="nowrap" dateTime={at} title={whole(time)}>{text}</time>;
}
