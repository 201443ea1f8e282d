/** Money: whole minor units and a currency, as the API has them. Nothing here is a float. */
import type { components } from "../../../clients/typescript/src/api.ts";

export type Amount = components["schemas"]["Amount"];
type AmountInput = components["schemas"]["AmountInput"];

const NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE = "BHD IQD JOD KWD LYD OMR TND";
const FOUR = "CLF UYW";
const DECIMALS = new Map<string, number>(
  [[NONE, 0] as const, [THREE, 3] as const, [FOUR, 4] as const].flatMap(([codes, decimals]) =>
    codes.split(" ").map((code) => [code, decimals] as const)),
);
/** What the API takes at most, in minor units. */
const MINOR_UNITS_MAX = 1_000_000_000_000n;

/** Returns how many decimals a currency has (ISO 4217, as the gateway knows it); 2 for most. */
export const decimalsOf = (currency: string): number => DECIMALS.get(currency) ?? 2;

/** Returns an amount as people write it, without the currency: `1,234.50`. */
export function written(amount: Amount): string {
  const minor = BigInt(amount.minor_units);
  const decimals = decimalsOf(amount.currency);
  const digits = String(minor < 0n ? -minor : minor).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  const rest = decimals ? `.${digits.slice(-decimals)}` : "";
  return `${minor < 0n ? "−" : ""}${whole}${rest}`;
}

/** Returns an amount with its currency: `10.00 GBP`. */
export const withCurrency = (amount: Amount): string => `${written(amount)} ${amount.currency}`;

/** Digits, or groups of three of them, and decimals. Elsewhere `10,50` is 10.50: whoever writes it so does not mean 1050. */
const AMOUNT = /^(\d+|\d{1,3}(?:[,\s]\d{3})+)(?:\.(\d*))?$/;

/** Reads what somebody has typed; returns the amount, or what is wrong with it. */
export function read(typed: string, currency: string): { amount: Amount } | { problem: string } {
  const decimals = decimalsOf(currency);
  const found = AMOUNT.exec(typed.trim());
  if (!found) return { problem: decimals ? "Enter an amount, for example 10.00." : "Enter a whole amount, for example 1000." };
  const [, whole = "", rest = ""] = found;
  if (rest.length > decimals) {
    return { problem: decimals ? `${currency} has ${decimals} decimals.` : `${currency} has no decimals.` };
  }
  const minor = BigInt(whole.replace(/\D/g, "") + rest.padEnd(decimals, "0"));
  if (minor <= 0n) return { problem: "Enter an amount above zero." };
  if (minor > MINOR_UNITS_MAX) return { problem: `The limit is ${withCurrency({ minor_units: String(MINOR_UNITS_MAX), currency })}.` };
  return { amount: { minor_units: String(minor), currency } };
}

/** Returns an amount as an input wants it: no separators of thousands. */
export const editable = (amount: Amount): string => written(amount).replaceAll(",", "");

/** Returns an amount as requests want it: the gateway says if it does not know the currency. */
export const asInput = (amount: Amount): AmountInput => amount as AmountInput;

export const isNothing = (amount: Amount): boolean => BigInt(amount.minor_units) === 0n;

/** Returns what is less of one than of the other, both in one currency. */
export function less(amount: Amount, taken: Amount): Amount {
  if (amount.currency !== taken.currency) throw new TypeError("Two currencies do not add up.");
  return { minor_units: String(BigInt(amount.minor_units) - BigInt(taken.minor_units)), currency: amount.currency };
}
