/** Payments for tests, as the API shows them. */
import type { Payment } from "../../src/model/possible.ts";

type Action = Payment["actions"][number];
const gbp = (minor: number) => ({ minor_units: String(minor), currency: "GBP" });

export function action(type: Action["type"], minor: number, more: Partial<Action> = {}): Action {
  return {
    id: `act_${type}`, payment_id: "pay_1", type, status: "STATUS_SUCCEEDED", amount: gbp(minor), reference: "", sequence: "1",
    create_time: "2026-11-28T12:00:00Z", update_time: "2026-11-28T12:00:00Z", approval_code: "", ...more,
  };
}

export interface Sums { captured?: number; refunded?: number; capturable?: number; refundable?: number }

export function payment(status: Payment["status"], sums: Sums = {}, more: Partial<Payment> = {}): Payment {
  const { captured = 0, refunded = 0, capturable = 0, refundable = 0 } = sums;
  return {
    id: "pay_1", status, authorized: gbp(1_000), captured: gbp(captured), refunded: gbp(refunded), capturable: gbp(capturable), refundable: gbp(refundable),
    card: { brand: "BRAND_VISA", last4: "4242", expiry: { month: 12, year: 2030 }, token: "" }, reference: "",
    create_time: "2026-11-28T12:00:00Z", update_time: "2026-11-28T12:00:00Z", expire_time: "2026-12-05T12:00:00Z", actions: [], ...more,
  };
}

export const NOW = new Date("2026-11-28T12:00:01Z");
