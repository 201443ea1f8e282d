/** What can be done to a payment now, and why not, in the words of the API's errors. */
import type { components } from "../../../clients/typescript/src/api.ts";
import { isNothing, type Amount } from "./money.ts";

export type Payment = components["schemas"]["Payment"];
export type Verb = "capture" | "void" | "refund";

/** The API's reason and message. */
export interface Refused {
  reason: string;
  message: string;
}

export type Possible = { most: Amount } | { refused: Refused };

const refused = (reason: string, message: string): { refused: Refused } => ({ refused: { reason, message } });

const PENDING = refused("ACTION_PENDING", "Another action of this payment is not settled yet. Try again when it is.");
const EXPIRED = refused("PAYMENT_EXPIRED", "The authorization has expired.");
const NOT_CAPTURED = refused("NOT_CAPTURED", "Nothing was captured.");
const REFUNDED = refused("PAYMENT_REFUNDED", "Money was given back already; only refunds are possible.");
const NOTHING_LEFT = refused("PAYMENT_CAPTURED", "Nothing is left to release.");
const CAPTURED = refused("AMOUNT_EXCEEDS_CAPTURABLE", "The amount is more than can still be captured.");
const ALL_REFUNDED = refused("AMOUNT_EXCEEDS_REFUNDABLE", "The amount is more than can still be refunded.");

/** Whether the whole payment is over, whatever one wants of it. */
const OVER: Partial<Record<Payment["status"], Possible>> = {
  STATUS_PENDING: PENDING,
  STATUS_DECLINED: refused("PAYMENT_DECLINED", "The authorization was declined."),
  STATUS_FAILED: refused("PAYMENT_FAILED", "The authorization failed: the bank never answered it, or refused the request itself."),
  STATUS_VOIDED: refused("PAYMENT_VOIDED", "The payment was voided; nothing is possible any more."),
  STATUS_EXPIRED: EXPIRED,
};

/** Returns what a call may take at most, or why it would be refused. */
export function possible(verb: Verb, payment: Payment, now: Date): Possible {
  return OVER[payment.status] ?? BY_VERB[verb](payment, now);
}

const BY_VERB: Record<Verb, (payment: Payment, now: Date) => Possible> = {
  capture(payment, now) {
    if (!isNothing(payment.refunded)) return REFUNDED;
    if (isLate(payment, now)) return EXPIRED;
    if (payment.status === "STATUS_CAPTURED") return CAPTURED;
    return isNothing(payment.capturable) ? PENDING : { most: payment.capturable };
  },
  void(payment, now) {
    if (!isNothing(payment.refunded)) return REFUNDED;
    if (isUnderWay(payment)) return PENDING;
    if (isLate(payment, now) && payment.status !== "STATUS_CAPTURED") return EXPIRED;
    if (isNothing(payment.capturable)) return payment.status === "STATUS_CAPTURED" ? NOTHING_LEFT : PENDING;
    return { most: payment.capturable };
  },
  refund(payment) {
    if (isNothing(payment.captured)) return isUnderWay(payment) ? PENDING : NOT_CAPTURED;
    if (isUnderWay(payment, "TYPE_CAPTURE")) return PENDING;
    return isNothing(payment.refundable) ? ALL_REFUNDED : { most: payment.refundable };
  },
};

/** Whether a void releases only what no capture has taken. */
export const isRemainder = (payment: Payment): boolean => !isNothing(payment.captured);

const isLate = (payment: Payment, now: Date): boolean => now.getTime() >= Date.parse(payment.expire_time);

const isUnderWay = (payment: Payment, type?: string): boolean =>
  payment.actions.some((action) => action.status === "STATUS_PENDING" && (!type || action.type === type));
