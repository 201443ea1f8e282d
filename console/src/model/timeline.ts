/** One story out of actions, requests, events and deliveries: in the order in which they happened. */
import type { components } from "../../../clients/typescript/src/api.ts";

type Schemas = components["schemas"];
export type Action = Schemas["Action"];
export type Event = Schemas["Event"];
export type Delivery = Schemas["Delivery"];
export type DeliveryAttempt = Schemas["DeliveryAttempt"];
export type LoggedRequest = Schemas["LoggedRequest"];

export type Moment =
  | { kind: "action"; at: string; key: string; action: Action }
  | { kind: "request"; at: string; key: string; request: LoggedRequest }
  | { kind: "event"; at: string; key: string; event: Event }
  | { kind: "delivery"; at: string; key: string; delivery: Delivery; attempt: DeliveryAttempt }
  | { kind: "gap"; at: string; key: string; milliseconds: number };

export interface Told {
  actions: readonly Action[];
  requests: readonly LoggedRequest[];
  events: readonly Event[];
  attempts: readonly { delivery: Delivery; attempt: DeliveryAttempt }[];
}

/** What is longer than this without anything is folded. */
export const IDLE_MILLISECONDS = 60_000;
const ORDER = { request: 0, action: 1, event: 2, delivery: 3, gap: 4 } as const;

/** Returns what happened, the first first; of one time, what causes goes before what it causes. */
export function timelineOf({ actions, requests, events, attempts }: Told): Moment[] {
  const moments: Moment[] = [
    ...timed(requests).map(({ at, request }): Moment => ({ kind: "request", at, key: request.id, request })),
    ...actions.map((action): Moment => ({ kind: "action", at: action.create_time, key: action.id, action })),
    ...events.map((event): Moment => ({ kind: "event", at: event.create_time, key: event.id, event })),
    ...attempts.map(({ delivery, attempt }): Moment => ({
      kind: "delivery", at: attempt.create_time, key: `${delivery.event_id} ${delivery.endpoint_id} ${attempt.number}`, delivery, attempt,
    })),
  ];
  moments.sort((one, other) => timeOf(one) - timeOf(other) || ORDER[one.kind] - ORDER[other.kind]);
  return moments.flatMap((moment, index) => [...gapBetween(moments[index - 1], moment), moment]);
}

/**
 * Returns when requests were made by the sandbox's clock, by which all else goes: the log has real times. How far the
 * clock was ahead is seen from a request that has made an action; then it stays so until the next.
 */
function timed(requests: readonly LoggedRequest[]): { at: string; request: LoggedRequest }[] {
  let ahead = 0;
  return [...requests].sort((one, other) => realTime(one) - realTime(other)).map((request) => {
    const made = madeAt(request);
    if (made !== undefined && Math.abs(made - realTime(request) - ahead) > CLOCK_MILLISECONDS_MIN) ahead = made - realTime(request);
    return { at: ahead ? new Date(realTime(request) + ahead).toISOString() : request.create_time, request };
  });
}

/** With less between them a clock was not turned: an action is made a little after its request has begun. */
const CLOCK_MILLISECONDS_MIN = 30_000;

const realTime = (request: LoggedRequest): number => Date.parse(request.create_time);

/** Returns when a request has made its action; a reply that was stored tells of an earlier one. */
function madeAt({ reply, replayed }: LoggedRequest): number | undefined {
  const { action } = (reply ?? {}) as { action?: { create_time?: string } };
  return replayed || !action?.create_time ? undefined : Date.parse(action.create_time);
}

function gapBetween(before: Moment | undefined, after: Moment): Moment[] {
  if (!before) return [];
  const milliseconds = timeOf(after) - timeOf(before);
  return milliseconds < IDLE_MILLISECONDS ? [] : [{ kind: "gap", at: before.at, key: `gap ${after.key}`, milliseconds }];
}

const timeOf = (moment: Moment): number => Date.parse(moment.at);
