/** Capture, refund and void: the amount that is left stands there already. */
import { useSignal } from "@preact/signals";
import { api, newKey, result } from "../../api/client.ts";
import type { Failure } from "../../api/failure.ts";
import { caught } from "../../model/caught.ts";
import { asInput, editable, read, withCurrency, type Amount } from "../../model/money.ts";
import { isRemainder, possible, type Payment, type Verb } from "../../model/possible.ts";
import { ACTION } from "../../model/statuses.ts";
import { told } from "../../model/store.ts";
import { Button } from "../../ui/button.tsx";
import { Id } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failed } from "../../ui/feedback.tsx";
import { Input } from "../../ui/field.tsx";
import { say } from "../../ui/toasts.tsx";
import { gatewayNow } from "../../ui/time.tsx";

const TITLES: Record<Verb, string> = { capture: "Capture", refund: "Refund", void: "Void" };

interface Props {
  verb: Verb;
  payment: Payment;
  onClose: () => void;
  done: () => void;
}

/** Asks how much, does it, and says what became of it. A repeat after a failure has the same idempotency key. */
export function Act({ verb, payment, onClose, done }: Props) {
  const can = possible(verb, payment, gatewayNow());
  const most = "most" in can ? can.most : payment.capturable;
  const [typed, reference, final] = [useSignal(editable(most)), useSignal(""), useSignal(false)];
  const [busy, failure] = [useSignal(false), useSignal<Failure | undefined>(undefined)];
  const key = useSignal(newKey()).value;
  const wanted = verb === "void" ? { amount: most } : read(typed.value, most.currency);
  const wrong = "problem" in wanted ? wanted.problem : undefined;
  const carryOut = async () => {
    if (!("amount" in wanted)) return;
    busy.value = true;
    try {
      const reply = await send(verb, payment, wanted.amount, { reference: reference.value, final: final.value, key });
      told(reply.payment);
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
      <Input label="Reference" value={reference.value} onInput={(value) => { reference.value = value; }} hint="Your own words for it; may be empty." maxLength={255} />
      {verb === "capture" && (
        <label class="row"><input type="checkbox" checked={final.value} onInput={(event) => { final.value = event.currentTarget.checked; }} /> The last capture: release what is left</label>
      )}
      {failure.value && <Failed failure={failure.value} />}
      <div class="field"><span class="field-label">Idempotency key</span><Id id={key} label="Copy the key" /></div>
    </Dialog>
  );
}

interface How {
  reference: string;
  final: boolean;
  key: string;
}

function send(verb: Verb, payment: Payment, amount: Amount, { reference, final, key }: How) {
  const headers = { "idempotency-key": key };
  const base = { authorization_id: payment.id, ...(reference && { reference }) };
  switch (verb) {
    case "capture": return result(api.POST("/capture", { body: { ...base, amount: asInput(amount), ...(final && { final }) }, headers }));
    case "refund": return result(api.POST("/refund", { body: { ...base, amount: asInput(amount) }, headers }));
    case "void": return result(api.POST("/void", { body: { ...base, ...(isRemainder(payment) && { remainder: true }) }, headers }));
  }
}
