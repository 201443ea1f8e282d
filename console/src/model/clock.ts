/** The gateway's clock: how far the sandbox's time is ahead of the real one, and this machine's beside it. */
import { batch, effect, signal } from "@preact/signals";
import { api, result, under, type Schemas } from "../api/client.ts";
import { apiKey } from "../api/session.ts";
import { listen } from "./live.ts";
import { millisecondsOf } from "./time.ts";

type Clock = Schemas["GetClockResponse"];

/** Anybody may turn it. */
const LOOK_MILLISECONDS = 15_000;
const UNNOTICED_MILLISECONDS = 2_000;

/** How far the sandbox's clock is ahead of the real time, in milliseconds. */
export const ahead = signal(0);
/** How far the real time of the gateway is ahead of this machine's, in milliseconds. */
export const skew = signal(0);

/** Returns the gateway's time now. */
export const gatewayTime = (): Date => new Date(Date.now() + ahead.peek() + skew.peek());

/** Asks how far it is ahead. */
export async function look(): Promise<void> {
  const began = Date.now();
  const clock = await result(api.GET("/sandbox/clock"));
  take(clock, (began + Date.now()) / 2);
}

/** Turns it forward. A repeat under the same key turns nothing twice. */
export async function advance(seconds: number, key: string): Promise<void> {
  const began = Date.now();
  const clock = await result(api.POST("/sandbox/clock/advance", { body: { by: `${seconds}s` }, ...under(key) }));
  take(clock, (began + Date.now()) / 2);
}

/** Knows it while somebody is signed in; where there is no such clock, the time is the real one. */
export function follow(): void {
  const quietly = () => { if (apiKey.value && !globalThis.document?.hidden) look().catch(() => undefined); };
  effect(() => {
    const key = apiKey.value;
    batch(() => { [ahead.value, skew.value] = [0, 0]; });
    if (key) quietly();
  });
  setInterval(quietly, LOOK_MILLISECONDS);
  // An event out of the future: somebody else has turned it.
  const onEvent = ({ create_time }: { create_time: string }) => {
    if (Date.parse(create_time) > gatewayTime().getTime() + UNNOTICED_MILLISECONDS) quietly();
  };
  listen({ onEvent, onBegin: quietly });
}

/** Takes in what the gateway said at a time of this machine. */
function take({ now, offset }: Clock, at: number): void {
  const turned = millisecondsOf(offset);
  const differs = Date.parse(now) - turned - at;
  batch(() => { [ahead.value, skew.value] = [turned, Math.abs(differs) < UNNOTICED_MILLISECONDS ? 0 : differs]; });
}
