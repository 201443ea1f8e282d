/** How an authorized amount is shared out, for the bar and its legend. */
import { less, type Amount } from "./money.ts";
import type { Payment } from "./possible.ts";

export interface Shares {
  captured: Amount;
  capturable: Amount;
  /** Neither taken nor takeable any more; or not yet: a capture under way. */
  released: Amount;
  underWay: Amount;
  refunded: Amount;
}

/** Returns the shares of what was authorized: captured + under way + capturable + released is all of it. */
export function sharesOf(payment: Payment): Shares {
  const { authorized, captured, capturable, refunded } = payment;
  const nothing = { minor_units: "0", currency: authorized.currency };
  const underWay = payment.actions
    .filter((action) => action.type === "TYPE_CAPTURE" && action.status === "STATUS_PENDING")
    .reduce((sum, action) => less(sum, { ...action.amount, minor_units: `-${action.amount.minor_units}` }), nothing);
  const isAsked = payment.status === "STATUS_PENDING";
  const rest = less(less(less(authorized, captured), capturable), underWay);
  return { captured, capturable, refunded, underWay: isAsked ? authorized : underWay, released: isAsked ? nothing : rest };
}

/** Returns which part of the whole that is, from 0 to 1: for drawing alone. */
export const partOf = (amount: Amount, whole: Amount): number =>
  Number((BigInt(amount.minor_units) * 100_000n) / BigInt(whole.minor_units === "0" ? "1" : whole.minor_units)) / 100_000;
