/** Webhooks: which events there are, where they go, and what a message says. */
import type { components } from "../../../clients/typescript/src/api.ts";

type Schemas = components["schemas"];
export type Endpoint = Schemas["WebhookEndpoint"];
export type EventType = NonNullable<Schemas["CreateWebhookEndpointRequest"]["event_types"]>[number];

/** What an endpoint may be told, by what it is about. The compiler knows if one is missing. */
const ABOUT: Record<EventType, string> = {
  "payment.authorized": "Authorization",
  "payment.declined": "Authorization",
  "payment.failed": "Authorization",
  "payment.expired": "Authorization",
  "payment.captured": "Capture",
  "payment.capture_declined": "Capture",
  "payment.capture_failed": "Capture",
  "payment.remainder_voided": "Void",
  "payment.voided": "Void",
  "payment.void_declined": "Void",
  "payment.void_failed": "Void",
  "payment.refunded": "Refund",
  "payment.refund_declined": "Refund",
  "payment.refund_failed": "Refund",
};
export const EVENT_TYPES = Object.keys(ABOUT) as EventType[];

/** Returns the types by what they are about. */
export const eventTypesByAbout = (): [about: string, types: EventType[]][] =>
  [...new Set(Object.values(ABOUT))].map((about) => [about, EVENT_TYPES.filter((type) => ABOUT[type] === about)]);

/** Where the sandbox itself takes events. */
export const INBOX_URL = "https://inbox.paygate.test/";

/** Whether a URL leads there, however it is written: the gateway asks for the host, too. */
export const isInbox = (url: string): boolean =>
  URL.canParse(url) && `${new URL(url).origin.replace(/\.+$/, "")}/` === INBOX_URL;

/** Returns a URL without what nearly all begin with. */
export const shortUrl = (url: string): string => url.replace(/^https:\/\//, "");

/** Returns in a few words which events an endpoint gets. */
export function typesShown(types: readonly string[]): string {
  if (!types.length) return "All events";
  return types.length === 1 ? types[0] ?? "" : `${types.length} types`;
}

/** What a message's body tells. */
export interface Told {
  type: string;
  paymentId: string;
  /** The body as JSON, if it is that. */
  value: unknown;
}

/** Reads a body; what is not as ours is told as far as it goes. */
export function toldIn(body: string): Told {
  try {
    const value = JSON.parse(body) as { type?: unknown; data?: { payment?: { id?: unknown } } } | null;
    return { type: text(value?.type), paymentId: text(value?.data?.payment?.id), value };
  } catch {
    return { type: "", paymentId: "", value: undefined };
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

export type Checker = "Python" | "TypeScript";
export const CHECKERS: readonly Checker[] = ["Python", "TypeScript"];

/** Returns how a receiver checks a signature, with a library of Standard Webhooks or our own. */
export const checking: Record<Checker, string> = {
  Python: `import os

from paygate_client.webhooks import verify

# body: the bytes as they came; headers: all of the request's.
event = verify(body, headers, os.environ["WEBHOOK_SECRET"])`,
  TypeScript: `import { Webhook } from "standardwebhooks";

// body: the text as it came; headers: all of the request's.
const event = new Webhook(process.env.WEBHOOK_SECRET).verify(body, headers);`,
};
