/** What belongs to a payment besides itself: requests, events, and the attempts to deliver these. */
import { api, result } from "../api/client.ts";
import type { Attempted, Delivery, Event, LoggedRequest } from "./timeline.ts";

export interface Around {
  requests: LoggedRequest[];
  turns: LoggedRequest[];
  events: Event[];
  attempts: Attempted[];
  /** Whether a delivery is under way. */
  isOpen: boolean;
}

const PAGE_MAX = 100;
/** Of the newest of its events deliveries are told. */
const DELIVERED_EVENTS_MAX = 30;
/** Reads are left out: the console itself makes many. */
const VERBS = ["Authorize", "Capture", "Void", "Refund"] as const;

export interface Deliveries {
  deliveries: Delivery[];
  attempts: Attempted[];
}

/** Finds it. `over` keeps the deliveries that will not change by themselves, so that they are asked for once. */
export async function around(id: string, over: Map<string, Deliveries>, signal: AbortSignal): Promise<Around> {
  const [{ events }, turns, ...requests] = await Promise.all([
    result(api.GET("/events", { params: { query: { payment_id: id, page_size: PAGE_MAX } }, signal })),
    logged({ method: "AdvanceClock" }, signal),
    ...VERBS.map((method) => logged({ method, payment_id: id }, signal)),
  ]);
  const each = await Promise.all(events.slice(0, DELIVERED_EVENTS_MAX).map((event) => over.get(event.id) ?? deliveriesOf(event.id, over, signal)));
  return {
    requests: requests.flat(), turns, events,
    attempts: each.flatMap((one) => one.attempts),
    isOpen: each.some((one) => one.deliveries.some(({ status }) => status === "STATUS_PENDING")),
  };
}

/** Returns requests of the log; none where there is no log, as in production. */
async function logged(wanted: { method: (typeof VERBS)[number] | "AdvanceClock"; payment_id?: string }, signal: AbortSignal): Promise<LoggedRequest[]> {
  const query = { ...wanted, page_size: PAGE_MAX };
  return result(api.GET("/sandbox/requests", { params: { query }, signal })).then(({ requests }) => requests, () => []);
}

async function deliveriesOf(eventId: string, over: Map<string, Deliveries>, signal: AbortSignal): Promise<Deliveries> {
  const { deliveries } = await result(api.GET("/events/{id}/deliveries", { params: { path: { id: eventId } }, signal }));
  const attempts = (await Promise.all(deliveries.map((delivery) => attemptsOf(delivery, signal)))).flat();
  if (deliveries.length && deliveries.every(({ status }) => status === "STATUS_DELIVERED")) over.set(eventId, { deliveries, attempts });
  return { deliveries, attempts };
}

async function attemptsOf(delivery: Delivery, signal: AbortSignal): Promise<Attempted[]> {
  const path = { id: delivery.event_id, endpoint_id: delivery.endpoint_id };
  const { attempts } = await result(api.GET("/events/{id}/deliveries/{endpoint_id}/attempts", { params: { path }, signal }));
  return attempts.map((attempt) => ({ delivery, attempt }));
}
