/** The table of payments: newest on top, live, filtered. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useLive } from "../../model/live.ts";
import * as store from "../../model/store.ts";
import { BRANDS, PAYMENT } from "../../model/statuses.ts";
import type { Payment } from "../../model/possible.ts";
import { go, link, route } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, Failed, Skeleton } from "../../ui/feedback.tsx";
import { Choice } from "../../ui/field.tsx";
import { useHolding } from "../../ui/holding.ts";
import { useEvery } from "../../ui/load.ts";
import { Money } from "../../ui/money.tsx";
import { Rows, type Column } from "../../ui/rows.tsx";
import { PaymentStatusOf } from "../../ui/status.tsx";
import { Time, gatewayNow } from "../../ui/time.tsx";
import { Search } from "./search.tsx";

const STATUSES = [["", "Any status"], ...Object.entries(PAYMENT).slice(1).map(([status, shown]) => [status, shown.word] as const)] as const;
const TIMES = [["", "Any time"], ["1h", "Last hour"], ["24h", "Last 24 hours"], ["7d", "Last 7 days"]] as const;
const REFRESH_MILLISECONDS = 4_000;

const COLUMNS: readonly Column<Payment>[] = [
  { head: "Amount", figures: true, cell: (payment) => <Money amount={payment.authorized} /> },
  { head: "Status", cell: (payment) => <PaymentStatusOf status={payment.status} /> },
  { head: "Card", cell: (payment) => <CardOf payment={payment} /> },
  { head: "Reference", cell: (payment) => payment.reference || <span class="muted">–</span>, room: "wide" },
  { head: "Payment", cell: (payment) => <code class="muted">{payment.id}</code>, room: "wide" },
  { head: "Created", cell: (payment) => <Time at={payment.create_time} />, figures: true },
];

/** A card as it is known: its brand and its last four digits. */
export function CardOf({ payment }: { payment: Payment }) {
  return <span class="nowrap">{BRANDS[payment.card.brand]} <span class="muted">••••</span> {payment.card.last4}</span>;
}

/** The filters, and what they let through. */
export function List({ openId }: { openId: string | undefined }) {
  const query = route.value.query;
  const filter = { status: query.get("status") ?? "", reference: query.get("reference") ?? "", last4: query.get("last4") ?? "", since: query.get("since") ?? "" };
  const change = (part: Partial<store.Filter>) => go(link(openId ? ["payments", openId] : ["payments"], { ...filter, ...part }), { replace: true });
  useEffect(() => { void store.show(filter, gatewayNow()); }, [filter.status, filter.reference, filter.last4, filter.since]);
  useLive((event) => { if (event.data?.payment) store.told(event.data.payment); }, () => void store.refresh(gatewayNow()));
  useEvery(REFRESH_MILLISECONDS, () => store.refresh(gatewayNow()));
  return (
    <div class="stack">
      <div class="filters">
        <Search />
        <Choice label="Status" value={filter.status} onInput={(status) => change({ status })} options={STATUSES} />
        <Choice label="Time" value={filter.since} onInput={(since) => change({ since })} options={TIMES} />
        {filter.reference && <Button icon="close" onClick={() => change({ reference: "" })}>reference: {filter.reference}</Button>}
        {filter.last4 && <Button icon="close" onClick={() => change({ last4: "" })}>card: •••• {filter.last4}</Button>}
      </div>
      {store.failure.value && <Failed failure={store.failure.value} again={() => void store.show(filter, gatewayNow())} />}
      <div class="panel"><Table filter={filter} openId={openId} /></div>
    </div>
  );
}

function Table({ filter, openId }: { filter: store.Filter; openId: string | undefined }) {
  const { items, waiting, fresh } = store.feed.value;
  const around = useHolding(store.held, store.showWaiting);
  if (store.loading.value && !items.length) return <Skeleton />;
  if (!items.length && !waiting.length) return <Nothing filter={filter} />;
  return (
    <div ref={around}>
      {waiting.length > 0 && (
        <div class="panel-foot"><Button kind="plain" icon="capture" onClick={store.showWaiting}>{waiting.length} new {waiting.length === 1 ? "payment" : "payments"}: show</Button></div>
      )}
      <Rows label="Payments" items={items} columns={COLUMNS} keyOf={(payment) => payment.id} openKey={openId} fresh={fresh}
        onOpen={(payment) => go(link(["payments", payment.id], { ...filter }))} />
      <More count={items.length} />
    </div>
  );
}

function More({ count }: { count: number }) {
  const busy = useSignal(false);
  const show = async () => {
    busy.value = true;
    await store.showMore(gatewayNow());
    busy.value = false;
  };
  return (
    <div class="panel-foot">
      <span>{count} {count === 1 ? "payment" : "payments"} shown</span>
      {store.more.value ? <Button onClick={() => void show()} busy={busy.value}>Show more</Button> : <span>That is all.</span>}
    </div>
  );
}

function Nothing({ filter }: { filter: store.Filter }) {
  if (Object.values(filter).some(Boolean)) {
    return (
      <Empty icon="search" title="No payment is like that" actions={<Button onClick={() => go(link(["payments"]))}>Clear the filters</Button>}>
        Fewer filters find more. A reference has to be the whole of it.
      </Empty>
    );
  }
  return (
    <Empty icon="payments" title="No payments yet" actions={<Button kind="main" icon="plus" onClick={() => go(link(["test"]))}>Make a test payment</Button>}>
      Make one here with a test card, or send your first Authorize. It appears here as soon as it is made.
    </Empty>
  );
}
