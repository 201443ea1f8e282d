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

/** The real time as the gateway has it, however far the sandbox's clock is ahead. */
const realNow = (): Date => new Date(now.value.getTime() + skew.value);

/** What a real time is called: while the sandbox's clock is ahead it is not the time that payments have. */
export const realTimeName = (): string => (ahead.value > 1_000 ? "Real time" : "Time");

/** Shows a time of the gateway: when it was, and how long ago on a second look. `real`: it is no time of the sandbox's clock. */
export function Time({ at, relative = false, real = false }: { at: string | undefined; relative?: boolean; real?: boolean }) {
  if (!at) return <span class="muted">–</span>;
  const [time, present] = [new Date(at), real ? realNow() : gatewayNow()];
  const text = relative ? ago(time, present) : short(time, present);
  return <time class="nowrap" dateTime={at} title={whole(time)}>{text}</time>;
}
