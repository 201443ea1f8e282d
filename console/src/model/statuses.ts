/** What statuses are called, what they mean, and which tone they have. */
import type { components } from "../../../clients/typescript/src/api.ts";

type Schemas = components["schemas"];
export type PaymentStatus = Schemas["Payment.Status"];
export type ActionStatus = Schemas["Action.Status"];
export type DeliveryStatus = Schemas["Delivery.Status"];
export type EndpointStatus = Schemas["WebhookEndpoint.Status"];

export type Tone = "good" | "warn" | "bad" | "quiet" | "accent";
export type Shape = "ring" | "dot" | "half" | "check" | "back" | "half-back" | "slash" | "cross" | "alert" | "clock";

export interface Shown {
  word: string;
  tone: Tone;
  shape: Shape;
}

export const PAYMENT: Record<PaymentStatus, Shown> = {
  STATUS_UNSPECIFIED: { word: "Unknown", tone: "quiet", shape: "ring" },
  STATUS_PENDING: { word: "Pending", tone: "warn", shape: "ring" },
  STATUS_AUTHORIZED: { word: "Authorized", tone: "accent", shape: "dot" },
  STATUS_DECLINED: { word: "Declined", tone: "bad", shape: "cross" },
  STATUS_FAILED: { word: "Failed", tone: "bad", shape: "alert" },
  STATUS_PARTIALLY_CAPTURED: { word: "Partly captured", tone: "good", shape: "half" },
  STATUS_CAPTURED: { word: "Captured", tone: "good", shape: "check" },
  STATUS_PARTIALLY_REFUNDED: { word: "Partly refunded", tone: "warn", shape: "half-back" },
  STATUS_REFUNDED: { word: "Refunded", tone: "quiet", shape: "back" },
  STATUS_VOIDED: { word: "Voided", tone: "quiet", shape: "slash" },
  STATUS_EXPIRED: { word: "Expired", tone: "quiet", shape: "clock" },
};

export const ACTION: Record<ActionStatus, Shown> = {
  STATUS_UNSPECIFIED: { word: "Unknown", tone: "quiet", shape: "ring" },
  STATUS_PENDING: { word: "Pending", tone: "warn", shape: "ring" },
  STATUS_SUCCEEDED: { word: "Succeeded", tone: "good", shape: "check" },
  STATUS_DECLINED: { word: "Declined", tone: "bad", shape: "cross" },
  STATUS_FAILED: { word: "Failed", tone: "bad", shape: "alert" },
};

export const DELIVERY: Record<DeliveryStatus, Shown> = {
  STATUS_UNSPECIFIED: { word: "Unknown", tone: "quiet", shape: "ring" },
  STATUS_PENDING: { word: "Pending", tone: "warn", shape: "ring" },
  STATUS_DELIVERED: { word: "Delivered", tone: "good", shape: "check" },
  STATUS_FAILED: { word: "Failed", tone: "bad", shape: "alert" },
};

export const ENDPOINT: Record<EndpointStatus, Shown> = {
  STATUS_UNSPECIFIED: { word: "Unknown", tone: "quiet", shape: "ring" },
  STATUS_ENABLED: { word: "Enabled", tone: "good", shape: "check" },
  STATUS_DISABLED: { word: "Disabled", tone: "quiet", shape: "slash" },
};

export const VERBS: Record<Schemas["Action.Type"], string> = {
  TYPE_UNSPECIFIED: "Unknown",
  TYPE_AUTHORIZE: "Authorize",
  TYPE_CAPTURE: "Capture",
  TYPE_VOID: "Void",
  TYPE_REFUND: "Refund",
  TYPE_EXPIRE: "Expire",
  TYPE_REVERSE: "Reverse",
};

export const BRANDS: Record<Schemas["Card.Brand"], string> = {
  BRAND_UNSPECIFIED: "Card",
  BRAND_VISA: "Visa",
  BRAND_MASTERCARD: "Mastercard",
  BRAND_AMERICAN_EXPRESS: "Amex",
  BRAND_DISCOVER: "Discover",
  BRAND_JCB: "JCB",
  BRAND_UNIONPAY: "UnionPay",
  BRAND_DINERS_CLUB: "Diners",
  BRAND_MAESTRO: "Maestro",
};

/** Returns how an HTTP status is shown. */
export function httpShown(status: number): Shown {
  if (status === 0) return { word: "No answer", tone: "bad", shape: "alert" };
  const tone = status < 300 ? "good" : status < 500 ? "warn" : "bad";
  const shape = status < 300 ? "check" : status < 500 ? "cross" : "alert";
  return { word: String(status), tone, shape };
}
