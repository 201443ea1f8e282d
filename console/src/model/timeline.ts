/** One story out of actions, requests, events and deliveries: in the order in which they happened. */
import type { components } from "../../../clients/typescript/src/api.ts";
import { millisecondsOf } from "./time.ts";

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
  | { kind: "delivery"; at: string; key: string; delivery: Delivery; attempt: DeliveryAttempt; isRepeat: boolean }
  | { kind: "gap"; at: string; key: string; milliseconds: number };

export interface Attempted {
  delivery: Delivery;
  attempt: DeliveryAttempt;
}

export interface Told {
  actions: readonly Action[];
  /** Those about the payment. */
  requests: readonly LoggedRequest[];
  /** Those that turned the sandbox's clock. */
  turns: readonly LoggedRequest[];
  events: readonly Event[];
  attempts: readonly Attempted[];
}

/** Whether the endpoint has taken it: what is sent to it after that was redelivered. */
export const isTaken = ({ status_code }: DeliveryAttempt): boolean => status_code >= 200 && status_code < 300;

/** What is longer than this without anything is folded. */
const IDLE_MILLISECONDS = 60_000;
const ORDER = { request: 0, action: 1, event: 2, delivery: 3, gap: 4 } as const;

/** Returns what happened, the first first; of one time, what causes goes before what it causes. */
export function timelineOf({ actions, requests, turns, events, attempts }: Told): Moment[] {
  const placed = placeOf(actions, requests, turns);
  const moments: Moment[] = [
    ...requests.map((request): Moment => ({ kind: "request", at: placed(request), key: request.id, request })),
    ...actions.map((action): Moment => ({ kind: "action", at: action.create_time, key: action.id, action })),
    ...events.map((event): Moment => ({ kind: "event", at: event.create_time, key: event.id, event })),
    ...attempts.map(({ delivery, attempt }): Moment => ({
      kind: "delivery", at: attempt.create_time, key: `${delivery.event_id} ${delivery.endpoint_id} ${attempt.number}`, delivery, attempt,
      isRepeat: attempts.some((one) => one.delivery.event_id === delivery.event_id && one.delivery.endpoint_id === delivery.endpoint_id && one.attempt.number < attempt.number && isTaken(one.attempt)),
    })),
  ];
  moments.sort((one, other) => timeOf(one) - timeOf(other) || ORDER[one.kind] - ORDER[other.kind]);
  return moments.flatMap((moment, index) => [...gapBetween(moments[index - 1], moment), moment]);
}

function gapBetween(before: Moment | undefined, after: Moment): Moment[] {
  if (!before) return [];
  const milliseconds = timeOf(after) - timeOf(before);
  return milliseconds < IDLE_MILLISECONDS ? [] : [{ kind: "gap", at: before.at, key: `gap ${after.key}`, milliseconds }];
}

const timeOf = (moment: Moment): number => Date.parse(moment.at);

/** From then on, in real milliseconds, the sandbox's clock was so many ahead. */
interface Ahead {
  from: number;
  ahead: number;
}

/**
 * Returns what tells when a request was, by the sandbox's clock: the log has the real time. A request that made an
 * action came with it; of others what is known of the clock before them says it.
 */
function placeOf(actions: readonly Action[], requests: readonly LoggedRequest[], turns: readonly LoggedRequest[]): (request: LoggedRequest) => string {
  const made = new Map(actions.map((action) => [action.id, action]));
  const known: Ahead[] = turns.map((turn) => ({ from: realOf(turn), ahead: millisecondsOf((turn.reply as { offset?: string } | undefined)?.offset) }));
  const actionOf = (request: LoggedRequest) => (request.replayed ? undefined : made.get((request.reply as { action?: { id: string } } | undefined)?.action?.id ?? ""));
  for (const request of requests) {
    const action = actionOf(request);
    if (action) known.push({ from: realOf(request), ahead: Date.parse(action.create_time) - realOf(request) });
  }
  known.sort((one, other) => one.from - other.from);
  return (request) => {
    const real = realOf(request);
    const { ahead } = known.findLast((one) => one.from <= real) ?? known[0] ?? { ahead: 0 };
    return actionOf(request)?.create_time ?? new Date(real + ahead).toISOString();
  };
}

const realOf = (request: LoggedRequest): number => Date.parse(request.create_time);
