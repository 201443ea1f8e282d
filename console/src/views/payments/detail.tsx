/** One payment: what it is now, what can be done, and how it came about. */
import { useSignal } from "@preact/signals";
import { api, result } from "../../api/client.ts";
import { useLive } from "../../model/live.ts";
import { possible, type Payment, type Verb } from "../../model/possible.ts";
import { seen } from "../../model/store.ts";
import { Button } from "../../ui/button.tsx";
import { Id } from "../../ui/copy.tsx";
import { Failed, Skeleton } from "../../ui/feedback.tsx";
import { useKeys } from "../../ui/keys.ts";
import { useEvery, useLoad } from "../../ui/load.ts";
import { isNothing, withCurrency } from "../../model/money.ts";
import { Back, Fact, Panel } from "../../ui/page.tsx";
import { PaymentStatusOf } from "../../ui/status.tsx";
import { Time, gatewayNow } from "../../ui/time.tsx";
import { Act, type During } from "./act.tsx";
import { Amounts } from "./amounts.tsx";
import { CardOf } from "./list.tsx";
import { Story } from "./story.tsx";

const PENDING_MILLISECONDS = 500;
/** No event tells of a reset, which removes it. */
const LOOK_MILLISECONDS = 4_000;
/** Characters that have room in one column. */
const LONG = 40;
const VERBS: readonly (readonly [Verb, string, string])[] = [["capture", "Capture", "c"], ["refund", "Refund", "r"], ["void", "Void", "v"]];

/** Shows a payment, and keeps it as it is now. */
export function Detail({ id, back }: { id: string; back: string }) {
  const loaded = useLoad((signal) => load(id, signal), [id]);
  const version = useSignal(0);
  const again = async () => {
    await loaded.again();
    version.value++;
  };
  useLive((event) => { if (event.data?.payment?.id === id) void again(); }, () => void again());
  const payment = loaded.failure.value?.reason === "PAYMENT_NOT_FOUND" ? undefined : loaded.data.value;
  const underWay = useSignal(0);
  const during: During = async (call) => {
    underWay.value++;
    return call.finally(() => { underWay.value--; void again(); });
  };
  const isPending = payment?.actions.some((action) => action.status === "STATUS_PENDING") ?? false;
  useEvery(PENDING_MILLISECONDS, () => { if (isPending || underWay.value) void loaded.again(); });
  useEvery(LOOK_MILLISECONDS, () => void loaded.again());
  return (
    <div class="stack">
      <div class="panel">
        {!payment && loaded.failure.value && <div class="panel-body"><Failed failure={loaded.failure.value} again={() => void again()} back={back} /></div>}
        {!payment && !loaded.failure.value && <Skeleton />}
        {payment && <Head payment={payment} back={back} during={during} look={() => void loaded.again()} />}
        {payment && <div class="panel-body stack"><Amounts payment={payment} /><Facts payment={payment} /></div>}
      </div>
      {payment && <Panel title="Timeline" padded={false}><Story payment={payment} version={version.value} /></Panel>}
    </div>
  );
}

async function load(id: string, signal: AbortSignal): Promise<Payment> {
  const params = { path: { id }, query: { include_actions: true } };
  const { payment } = await result(api.GET("/payment/{id}", { params, signal }));
  seen(payment);
  return payment;
}

function Head({ payment, back, during, look }: { payment: Payment; back: string; during: During; look: () => void }) {
  const acting = useSignal<Verb | undefined>(undefined);
  const now = gatewayNow();
  const whyNot = (verb: Verb): string | undefined => {
    const can = possible(verb, payment, now);
    return "refused" in can ? `${can.refused.message} (${can.refused.reason})` : undefined;
  };
  const begin = (verb: Verb) => () => { if (!whyNot(verb)) acting.value = verb; };
  useKeys(Object.fromEntries(VERBS.map(([verb, , key]) => [key, begin(verb)])));
  return (
    <div class="detail-head">
      <Back to={back} />
      <div class="grow">
        <div class="row-wrap"><span class="detail-amount">{withCurrency(payment.authorized)}</span><PaymentStatusOf status={payment.status} /></div>
        <Id id={payment.id} />
      </div>
      <div class="detail-actions">
        {VERBS.map(([verb, word, key]) => (
          <Button key={verb} shortcut={key} refused={whyNot(verb)} onClick={begin(verb)}
            {...(verb === "capture" ? { kind: "main" } : verb === "void" ? { kind: "danger" } : {})}>{word}</Button>
        ))}
      </div>
      {acting.value && <Act verb={acting.value} payment={payment} onClose={() => { acting.value = undefined; look(); }} during={during} />}
    </div>
  );
}

function Facts({ payment }: { payment: Payment }) {
  const { card } = payment;
  return (
    <dl class="facts">
      <Fact name="Card"><CardOf payment={payment} /></Fact>
      <Fact name="Card expires">{card.expiry && `${String(card.expiry.month).padStart(2, "0")} / ${card.expiry.year}`}</Fact>
      <Fact name="Reference" whole={payment.reference.length > LONG}>{payment.reference || <span class="muted">none</span>}</Fact>
      <Fact name="Created"><Time at={payment.create_time} /></Fact>
      <Fact name="Authorization ends"><Time at={isNothing(payment.capturable) && payment.status !== "STATUS_PENDING" ? undefined : payment.expire_time} /></Fact>
      {card.token && <Fact name="Card token"><Id id={card.token} label="Copy the token" /></Fact>}
      {payment.decline && <Fact name="Decline"><span><code>{payment.decline.code.replace("CODE_", "")}</code> {payment.decline.message}</span></Fact>}
    </dl>
  );
}
