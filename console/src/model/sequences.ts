/** What can be tried with one click: calls, one after the other, and how far they have come. Pure. */
import type { components } from "../../../clients/typescript/src/api.ts";
import type { Failure } from "../api/failure.ts";
import { APPROVED_PAN as GOOD, detailsOf, type Verb } from "./cards.ts";
import { asInput, less, type Amount } from "./money.ts";
import type { Payment } from "./possible.ts";
import type { CallOf } from "./snippets.ts";

type Schemas = components["schemas"];
type Action = Schemas["Action"];

export interface Plan {
  verb: Verb;
  amount: Amount;
}

export interface Sequence {
  /** What it belongs to: a card has sequences of the same titles. */
  of: "sequence" | "card";
  title: string;
  does: string;
  pan: string;
  /** How many minor units there must be. */
  least: bigint;
  plans: (whole: Amount) => readonly Plan[];
}

/** `pending`: the bank's answer is not known yet. `stopped`: it was declined or failed, and nothing more is done. */
export type State = "waits" | "runs" | "pending" | "done" | "stopped";

export interface Step extends Plan {
  /** The idempotency key: a repeat after a failure does nothing twice. */
  key: string;
  state: State;
  action?: Action | undefined;
  failure?: Failure | undefined;
  milliseconds?: number | undefined;
}

export interface Run extends Pick<Sequence, "of"> {
  id: string;
  title: string;
  pan: string;
  amount: Amount;
  reference: string;
  begun: Date;
  steps: readonly Step[];
  payment?: Payment | undefined;
}

const REPLY_LOST = "4000000000001026";

/** Shares an amount in two, of which the second is the larger one by a minor unit if it has to be. */
export function halves(whole: Amount): [Amount, Amount] {
  const first = { minor_units: String(BigInt(whole.minor_units) / 2n), currency: whole.currency };
  return [first, less(whole, first)];
}

const all = (verbs: readonly Verb[]) => (amount: Amount): readonly Plan[] => verbs.map((verb) => ({ verb, amount }));

const OFFERED: readonly Omit<Sequence, "of">[] = [
  { title: "Authorize and capture", does: "Authorizes, then captures all of it.", pan: GOOD, least: 1n, plans: all(["authorize", "capture"]) },
  {
    title: "Capture in two parts, refund one", does: "Authorizes, captures in two halves, refunds the second.", pan: GOOD, least: 2n,
    plans: (amount) => {
      const [first, second] = halves(amount);
      return [{ verb: "authorize", amount }, { verb: "capture", amount: first }, { verb: "capture", amount: second }, { verb: "refund", amount: second }];
    },
  },
  { title: "Authorize and void", does: "Authorizes, then voids: nothing is billed.", pan: GOOD, least: 1n, plans: all(["authorize", "void"]) },
  {
    title: "Capture part, void the rest", does: "Authorizes, captures half, voids the other half.", pan: GOOD, least: 2n,
    plans: (amount) => {
      const [first, second] = halves(amount);
      return [{ verb: "authorize", amount }, { verb: "capture", amount: first }, { verb: "void", amount: second }];
    },
  },
  { title: "Reply lost, then capture", does: "The bank approves, but its reply is lost: waits for the outcome, then captures.", pan: REPLY_LOST, least: 1n, plans: all(["authorize", "capture"]) },
];

export const SEQUENCES: readonly Sequence[] = OFFERED.map((one) => ({ of: "sequence", ...one }));

/** Returns what a card is tried with: the calls after which one has seen what it does. */
export const sequenceOf = (title: string, pan: string, verbs: readonly Verb[]): Sequence =>
  ({ of: "card", title, does: "", pan, least: 1n, plans: all(verbs) });

/** Returns how far a step has come by what the gateway says of its action. */
export function stateOf(action: Action): State {
  if (action.status === "STATUS_PENDING") return "pending";
  return action.status === "STATUS_SUCCEEDED" ? "done" : "stopped";
}

/** Returns the step that is to be carried out next, or undefined if all are done, or one has stopped them. */
export function nextOf(run: Run): number | undefined {
  const index = run.steps.findIndex((step) => step.state !== "done");
  return run.steps[index]?.state === "waits" ? index : undefined;
}

/** Whether a run is of a sequence, as far as one waits for it: a payment whose outcome is open is not waited for. */
export const isSending = (run: Run, { of, title, pan }: Sequence): boolean =>
  run.of === of && run.title === title && run.pan === pan && run.steps.some((step) => step.state === "runs");

/** Returns a run whose step was changed. */
export const stepped = (run: Run, index: number, change: Partial<Step>): Run =>
  ({ ...run, steps: run.steps.map((step, at) => (at === index ? { ...step, ...change } : step)) });

/** Returns a run that knows its payment as it is now. Events may come late: an older state changes nothing. */
export const knowing = (run: Run, payment: Payment): Run =>
  run.payment && Date.parse(run.payment.update_time) > Date.parse(payment.update_time) ? run : { ...run, payment };

export type Call =
  | { path: "/authorize"; body: Schemas["AuthorizeRequest"] }
  | { path: "/capture"; body: Schemas["CaptureRequest"] }
  | { path: "/refund"; body: Schemas["RefundRequest"] }
  | { path: "/void"; body: Schemas["VoidRequest"] };

/** Returns the call of a step: what is sent, and what is shown as code. Before the payment is there its id is empty. */
export function callOf(run: Run, step: Step, now: Date): Call {
  const amount = asInput(step.amount);
  const authorization_id = run.payment?.id ?? "";
  switch (step.verb) {
    case "authorize":
      return { path: "/authorize", body: { card_details: detailsOf(run.pan, now), amount, ...(run.reference && { reference: run.reference }) } };
    case "capture": return { path: "/capture", body: { authorization_id, amount } };
    case "refund": return { path: "/refund", body: { authorization_id, amount } };
    case "void": return { path: "/void", body: { authorization_id, ...(hasCaptured(run, step) && { remainder: true }) } };
  }
}

/** Returns a step's call as something that can be written in a language. */
export const asCode = (run: Run, step: Step, now: Date): CallOf => {
  const { path, body } = callOf(run, step, now);
  return { method: "POST", path, body: { ...body }, idempotencyKey: step.key };
};

const hasCaptured = (run: Run, step: Step): boolean =>
  run.steps.slice(0, run.steps.indexOf(step)).some((one) => one.verb === "capture");
