/** Capture, refund and void: the amount that is left stands there already. */
import { useSignal } from "@preact/signals";
import { api, newKey, result, under } from "../../api/client.ts";
import type { Failure } from "../../api/failure.ts";
import { caught } from "../../model/caught.ts";
import { asInput, editable, less, read, withCurrency, type Amount } from "../../model/money.ts";
import { isRemainder, possible, type Payment, type Verb } from "../../model/possible.ts";
import { ACTION } from "../../model/statuses.ts";
import { seen } from "../../model/store.ts";
import { Button } from "../../ui/button.tsx";
import { Id } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failed } from "../../ui/feedback.tsx";
import { Input } from "../../ui/field.tsx";
import { say } from "../../ui/toasts.tsx";
import { gatewayNow } from "../../ui/time.tsx";

const TITLES: Record<Verb, string> = { capture: "Capture", refund: "Refund", void: "Void" };
const DONE: Record<Verb, string> = { capture: "captured", refund: "refunded", void: "released" };

interface Props {
  verb: Verb;
  payment: Payment;
  onClose: () => void;
  done: () => void;
}

/** Asks how much, does it, and says what became of it. */
export function Act({ verb, payment, onClose, done }: Props) {
  const can = possible(verb, payment, gatewayNow());
  const most = "most" in can ? can.most : payment.capturable;
  const [typed, reference, final] = [useSignal(editable(most)), useSignal(""), useSignal(false)];
  const [busy, failure] = [useSignal(false), useSignal<Failure | undefined>(undefined)];
  const keys = useKeyOf();
  const wanted = verb === "void" ? { amount: most } : within(read(typed.value, most.currency), verb, most);
  const wrong = "problem" in wanted ? wanted.problem : undefined;
  const carryOut = async () => {
    if (!("amount" in wanted) || busy.value) return;
    busy.value = true;
    try {
      const how = { reference: reference.value, final: final.value };
      const reply = await send(verb, payment, wanted.amount, { ...how, key: keys.keyFor(JSON.stringify([wanted.amount, how])) });
      seen(reply.payment);
      say(`${TITLES[verb]} of ${withCurrency(reply.action.amount)}: ${ACTION[reply.action.status].word.toLowerCase()}.`, { good: reply.action.status !== "STATUS_DECLINED" });
      done();
      onClose();
    } catch (problem) {
      failure.value = caught(problem);
    }
    busy.value = false;
  };
  const word = "amount" in wanted ? `${TITLES[verb]} ${withCurrency(wanted.amount)}` : TITLES[verb];
  return (
    <Dialog title={TITLES[verb]} onClose={onClose} onSubmit={() => void carryOut()}
      foot={<><Button onClick={onClose}>Cancel</Button><Button kind="main" submit busy={busy.value} refused={wrong}>{word}</Button></>}>
      {verb === "void"
        ? <p>{isRemainder(payment) ? `Releases the ${withCurrency(most)} that no capture has taken. What was captured stays.` : "Cancels the payment without billing. Nothing is possible afterwards."}</p>
        : <Input label={`Amount (${most.currency})`} figures inputMode="decimal" value={typed.value} problem={wrong} autofocus
            onInput={(value) => { typed.value = value; }} hint={`At most ${withCurrency(most)}.`} />}
      <Input label="Reference" value={reference.value} onInput={(value) => { reference.value = value; }} hint="Your own words for it; may be empty." maxLength={255} autofocus={verb === "void"} />
      {verb === "capture" && (
        <label class="row"><input type="checkbox" checked={final.value} onInput={(event) => { final.value = event.currentTarget.checked; }} /> The last capture: release what is left</label>
      )}
      {failure.value && <Failed failure={failure.value} />}
      <div class="field"><span class="field-label">Idempotency key</span><Id id={keys.key} label="Copy the key" /></div>
    </Dialog>
  );
}

/** A repeat after a failure has the same idempotency key, so that nothing is done twice; what is something else has another. */
function useKeyOf() {
  const last = useSignal({ key: newKey(), sent: "" });
  const keyFor = (sent: string): string => {
    last.value = last.value.sent && last.value.sent !== sent ? { key: newKey(), sent } : { ...last.value, sent };
    return last.value.key;
  };
  return { key: last.value.key, keyFor };
}

/** Says of what is too much how much is left. */
function within(wanted: ReturnType<typeof read>, verb: Verb, most: Amount): ReturnType<typeof read> {
  if (!("amount" in wanted) || BigInt(less(most, wanted.amount).minor_units) >= 0n) return wanted;
  return { problem: `The amount is more than can still be ${DONE[verb]}: ${withCurrency(most)}.` };
}

interface How {
  reference: string;
  final: boolean;
  key: string;
}

function send(verb: Verb, payment: Payment, amount: Amount, { reference, final, key }: How) {
  const base = { authorization_id: payment.id, ...(reference && { reference }) };
  switch (verb) {
    case "capture": return result(api.POST("/capture", { body: { ...base, amount: asInput(amount), ...(final && { final }) }, ...under(key) }));
    case "refund": return result(api.POST("/refund", { body: { ...base, amount: asInput(amount) }, ...under(key) }));
    case "void": return result(api.POST("/void", { body: { ...base, ...(isRemainder(payment) && { remainder: true }) }, ...under(key) }));
  }
}
