/** Calls that the API is about to have. Goes when it has them. */
import { api } from "../api/client.ts";

export interface DeliveryAttempt { number: number; create_time: string; duration: string; status_code: number; error: string; reply: string }
export interface LoggedRequest {
  id: string; create_time: string; method: string; service: string; code: string; http_status: number; reason: string; duration: string;
  idempotency_key: string; replayed: boolean; payment_id: string; key_id: string; rest: boolean; request?: object; reply?: object;
}
export interface InboxMessage { id: string; create_time: string; endpoint_id: string; event_id: string; status_code: number; headers: Record<string, string>; body: string }
export interface Due { kind: "KIND_PAYMENT_EXPIRES" | "KIND_ACTION_RETRIED" | "KIND_DELIVERY_RETRIED"; due_time: string; payment_id: string; event_id: string; endpoint_id: string }

/* eslint-disable-next-line */
export const coming = api as any;
