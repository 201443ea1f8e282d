/** Amounts: in the currency's own decimals, figures of one width. */
import { withCurrency, written, type Amount } from "../model/money.ts";

/** Shows an amount; the currency stands behind it, in smaller letters. */
export function Money({ amount }: { amount: Amount }) {
  return (
    <span class="nowrap" title={withCurrency(amount)}>
      <span class="amount">{written(amount)}</span> <span class="currency">{amount.currency}</span>
    </span>
  );
}
