/** Test cards: which are alike, how a number is written, and what a request needs besides it. */
import type { components } from "../../../clients/typescript/src/api.ts";

type Schemas = components["schemas"];
export type TestCard = Schemas["TestCard"];
export type Verb = "authorize" | "capture" | "refund" | "void";

export interface Group {
  title: string;
  cards: readonly TestCard[];
}

const TITLES = ["Approved", "Declined", "Declined later", "Lost or slow"] as const;
const BRANDS: readonly (readonly [RegExp, string])[] = [
  [/^3[47]/, "American Express"], [/^3[068]/, "Diners"], [/^35/, "JCB"], [/^4/, "Visa"],
  [/^(5[1-5]|2[2-7])/, "Mastercard"], [/^62/, "UnionPay"], [/^6/, "Discover"],
];
/** One that the bank approves whatever is done with it. */
export const APPROVED_PAN = "4242424242424242";
/** The bank takes any date that is not past. */
const GOOD_FOR_YEARS = 4;

/** Returns the cards by what one tests with them, in the order in which the API lists them. */
export function groupsOf(cards: readonly TestCard[]): Group[] {
  const groups = TITLES.map((title) => ({ title, cards: cards.filter((card) => titleOf(card) === title) }));
  return groups.filter((group) => group.cards.length);
}

function titleOf({ description }: TestCard): (typeof TITLES)[number] {
  if (/^Approved\.$/.test(description)) return "Approved";
  if (/^(Declined|Refused)/.test(description)) return "Declined";
  return /^Approved;/.test(description) ? "Declined later" : "Lost or slow";
}

/** Returns the calls after which one has seen what the card does. */
export function showing({ description }: TestCard): readonly Verb[] {
  if (/\bcaptures?\b/.test(description)) return ["authorize", "capture"];
  if (/\brefunds?\b/.test(description)) return ["authorize", "capture", "refund"];
  return /\bvoids?\b/.test(description) ? ["authorize", "void"] : ["authorize"];
}

/** Returns the name of the card's network, empty if it is none of the usual ones. */
export const brandOf = (pan: string): string => BRANDS.find(([digits]) => digits.test(pan))?.[1] ?? "";

/** Returns a number as it stands on a card: `4242 4242 4242 4242`, `3782 822463 10005`. */
export const writtenPan = (pan: string): string =>
  pan.length === 15 ? pan.replace(/^(.{4})(.{6})/, "$1 $2 ") : pan.replace(/(.{4})(?=.)/g, "$1 ");

/** Returns all that the bank wants to know of a test card. */
export const detailsOf = (pan: string, now: Date): Schemas["CardDetails"] => ({
  pan,
  expiry: { month: 12, year: now.getUTCFullYear() + GOOD_FOR_YEARS },
  cvv: brandOf(pan) === "American Express" ? "1234" : "123",
});
