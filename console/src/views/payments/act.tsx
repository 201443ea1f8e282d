/** Capture, refund and void: the amount that is left stands there already. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, result, under } from "../../api/client.ts";
import { asInput, editable, less, read, withCurrency, type Amount } from "../../model/money.ts";
import { isRemainder, possible, type Payment, type Verb } from "../../model/possible.ts";
import { ACTION } from "../../model/statuses.ts";
import { seen } from "../../model/store.ts";
import { useAction } from "../../ui/action.ts";
import { Button } from "../../ui/button.tsx";
import { Id } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failed } from "../../ui/feedback.tsx";
import { Check, Input } from "../../ui/field.tsx";
import { say } from "../../ui/toasts.tsx";
import { gatewayNow } from "../../ui/time.tsx";

const TITLES: Record<Verb, string> = { capture: "Capture", refund: "Refund", void: "Void" };
const DOING: Record<Verb, string> = { capture: "Capturing…", refund: "Refunding…", void: "Voiding…" };
const DONE: Record<Verb, string> = { capture: "captured", refund: "refunded", void: "released" };

interface Props {
  verb: Verb;
  payment: Payment;
  onClose: () => void;
  during: During;
}

/** Has the payment looked at while a call is under way, and when it is over. */
export type During = <T>(call: Promise<T>) => Promise<T>;

/** Asks how much, does it, and says what became of it. A repeat whose first try may have come through does nothing twice. */
export function Act({ verb, payment: latest, onClose, during }: Props) {
  // While it is under way the dialog shows the payment that it was asked for.
  const [isShown, isBusy, asked] = [useRef(true), useRef(false), useRef(latest)];
  if (!isBusy.current) asked.current = latest;
  const payment = asked.current;
  useEffect(() => () => { isShown.current = false; }, []);
  const can = possible(verb, payment, gatewayNow());
  const most = "most" in can ? can.most : payment.capturable;
  const [typed, reference, final] = [useSignal(editable(most)), useSignal(""), useSignal(false)];
  const wanted = verb === "void" ? { amount: most } : within(read(typed.value, most.currency), verb, most);
  const wrong = "refused" in can ? can.refused.message : "problem" in wanted ? wanted.problem : undefined;
  const { busy, failure, key, run } = useAction(async (key) => {
    if (!("amount" in wanted)) return;
    const reply = await during(send(verb, payment, wanted.amount, { reference: reference.value, final: final.value, key }));
    seen(reply.payment);
    say(`${TITLES[verb]} of ${withCurrency(reply.action.amount)}: ${ACTION[reply.action.status].word.toLowerCase()}.`, { good: reply.action.status !== "STATUS_DECLINED" });
    if (isShown.current) onClose();
  });
  isBusy.current = busy.value;
  const word = busy.value ? DOING[verb] : "amount" in wanted ? `${TITLES[verb]} ${withCurrency(wanted.amount)}` : TITLES[verb];
  return (
    <Dialog title={TITLES[verb]} onClose={onClose} onSubmit={() => void run()}
      foot={<><Button onClick={onClose}>Cancel</Button><Button kind={verb === "void" ? "danger" : "main"} submit busy={busy.value} refused={wrong}>{word}</Button></>}>
      {verb === "void"
        ? <p>{isRemainder(payment) ? `Releases the remaining ${withCurrency(most)}. Captured money is not affected.` : "Cancels the payment without billing. This is final."}</p>
        : <Input label={`Amount (${most.currency})`} figures inputMode="decimal" value={typed.value} problem={wrong} autofocus
            onInput={(value) => { typed.value = value; }} hint={`At most ${withCurrency(most)}.`} />}
      <Input label="Reference" value={reference.value} onInput={(value) => { reference.value = value; }} hint="Optional, for your own use." maxLength={255} autofocus={verb === "void"} />
      {verb === "capture" && <Check label="Final capture: release the rest" on={final.value} onInput={(on) => { final.value = on; }} />}
      {failure.value && <Failed failure={failure.value} />}
      <div class="field"><span class="field-label">Idempotency key</span><Id id={key.value} label="Copy the key" /></div>
    </Dialog>
  );
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
