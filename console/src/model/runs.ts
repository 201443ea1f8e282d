/** The runs of test payments: carries them out step by step, and keeps the last ones. */
import { signal } from "@preact/signals";
import { api, newKey, result, under } from "../api/client.ts";
import { apiKey } from "../api/session.ts";
import { caught } from "./caught.ts";
import { gatewayTime } from "./clock.ts";
import type { Amount } from "./money.ts";
import type { Payment } from "./possible.ts";
import { callOf, isSending, knowing, nextOf, stateOf, stepped, type Call, type Run, type Sequence, type Step } from "./sequences.ts";

const KEPT = 10;
const LOOK_MILLISECONDS = 400;
/** The gateway settles within 5 s while the bank is up. */
const SETTLED_MILLISECONDS_MAX = 20_000;

/** The last ones, newest first. */
export const runs = signal<readonly Run[]>([]);
/** The one that is shown whole; empty: the newest. */
export const chosen = signal("");

// They are one merchant's: another key sees none of them, and carries none on.
apiKey.subscribe(() => forget());

/** Forgets them all: those under way end after the call that they are in. */
export function forget(): void {
  [runs.value, chosen.value] = [[], ""];
}

/** Begins a sequence, unless the same one has just begun and has no answer yet: one press is one payment. */
export function start(sequence: Sequence, amount: Amount, reference: string): void {
  if (runs.value.some((run) => isSending(run, sequence))) return;
  const steps = sequence.plans(amount).map((plan): Step => ({ ...plan, key: newKey(), state: "waits" }));
  const run: Run = { id: newKey(), of: sequence.of, title: sequence.title, pan: sequence.pan, amount, reference, begun: gatewayTime(), steps };
  [runs.value, chosen.value] = [[run, ...runs.value].slice(0, KEPT), run.id];
  void carryOn(run.id);
}

/** Carries a run on from the step that failed, under the same idempotency key. */
export function carryOnFrom(id: string, index: number): void {
  if (found(id)?.steps[index]?.state !== "stopped") return;
  change(id, (run) => stepped(run, index, { state: "waits", failure: undefined }));
  void carryOn(id);
}

/** Takes in a payment as an event tells it. */
export function toldOf(payment: Payment): void {
  const run = runs.value.find((one) => one.payment?.id === payment.id);
  if (run) change(run.id, (one) => knowing(one, payment));
}

/** Looks how the payments of all runs are now: what happened while nobody listened. What a reset has removed goes. */
export async function look(): Promise<void> {
  await Promise.all(runs.value.map(async ({ id, payment }) => {
    if (!payment) return;
    const seen = await result(api.GET("/payment/{id}", { params: { path: { id: payment.id } } })).catch(caught);
    if ("payment" in seen) toldOf(seen.payment);
    else if (seen.reason === "PAYMENT_NOT_FOUND") runs.value = runs.value.filter((one) => one.id !== id);
  }));
}

async function carryOn(id: string): Promise<void> {
  for (let run = found(id); run; run = found(id)) {
    const index = nextOf(run);
    if (index === undefined) return;
    change(id, (one) => stepped(one, index, { state: "runs" }));
    await carryOut(id, index).catch((problem: unknown) => change(id, (one) => stepped(one, index, { state: "stopped", failure: caught(problem) })));
  }
}

async function carryOut(id: string, index: number): Promise<void> {
  const run = found(id);
  const step = run?.steps[index];
  if (!run || !step) return;
  const began = performance.now();
  const { action, payment } = await send(callOf(run, step, gatewayTime()), step.key);
  change(id, (one) => stepped(knowing(one, payment), index, { action, state: stateOf(action), milliseconds: performance.now() - began }));
  if (action.status === "STATUS_PENDING") await settle(id, index, payment.id, action.id);
}

/** Looks until the bank's answer is known. A look that fails is no news of the payment. */
async function settle(id: string, index: number, paymentId: string, actionId: string): Promise<void> {
  const end = performance.now() + SETTLED_MILLISECONDS_MAX;
  while (found(id) && performance.now() < end) {
    await new Promise((resume) => setTimeout(resume, LOOK_MILLISECONDS));
    const params = { path: { id: paymentId }, query: { include_actions: true } };
    const seen = await result(api.GET("/payment/{id}", { params })).catch(() => undefined);
    const action = seen?.payment.actions.find((one) => one.id === actionId);
    if (!seen || !action) continue;
    change(id, (one) => stepped(knowing(one, seen.payment), index, { action, state: stateOf(action) }));
    if (action.status !== "STATUS_PENDING") return;
  }
  if (found(id)) throw new Error("Still no answer from the bank. The gateway keeps checking: Health says whether the bank is up.");
}

function send(call: Call, key: string) {
  switch (call.path) {
    case "/authorize": return result(api.POST(call.path, { body: call.body, ...under(key) }));
    case "/capture": return result(api.POST(call.path, { body: call.body, ...under(key) }));
    case "/refund": return result(api.POST(call.path, { body: call.body, ...under(key) }));
    case "/void": return result(api.POST(call.path, { body: call.body, ...under(key) }));
  }
}

const found = (id: string): Run | undefined => runs.value.find((one) => one.id === id);

function change(id: string, by: (run: Run) => Run): void {
  runs.value = runs.value.map((one) => (one.id === id ? by(one) : one));
}
