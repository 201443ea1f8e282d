/** The table of payments: newest on top, live, filtered. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ITEMS_MAX } from "../../model/feed.ts";
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
import { onMoving } from "../../ui/nearby.ts";
import { RowLink, Rows, type Column } from "../../ui/rows.tsx";
import { PaymentStatusOf } from "../../ui/status.tsx";
import { Time, gatewayNow } from "../../ui/time.tsx";
import { Search } from "./search.tsx";

const STATUSES = [["", "Any status"], ...Object.entries(PAYMENT).slice(1).map(([status, shown]) => [status, shown.word] as const)] as const;
const TIMES = [["", "Any time"], ["1h", "Last hour"], ["24h", "Last 24 hours"], ["7d", "Last 7 days"]] as const;
/** The stream of events does not tell of a reset; and there may be no stream. */
const REFRESH_MILLISECONDS = 4_000;
/** How far below what is seen the end may be when more is loaded. */
const NEAR_PIXELS = 1_000;

const COLUMNS: readonly Column<Payment>[] = [
  // The link is for readers, and for another tab; the row does the same.
  { head: "Amount", width: "amount", figures: true, cell: ({ id, authorized }) => <RowLink to={["payments", id]} class="row-link" tabIndex={-1}><Money amount={authorized} /></RowLink> },
  { head: "Status", width: "status", cell: (payment) => <PaymentStatusOf status={payment.status} /> },
  { head: "Card", width: "card", cell: (payment) => <CardOf payment={payment} /> },
  { head: "Reference", cell: (payment) => payment.reference ? <span title={payment.reference}>{payment.reference}</span> : <span class="muted">–</span>, room: "wide" },
  { head: "Payment", width: "id", cell: (payment) => <code class="muted">{payment.id}</code>, room: "widest" },
  { head: "Created", width: "time", cell: (payment) => <Time at={payment.create_time} />, figures: true, room: "beside" },
];

/** A card as it is known: its brand and its last four digits. */
export function CardOf({ payment }: { payment: Payment }) {
  return <span class="nowrap">{BRANDS[payment.card.brand]} <span class="muted dots">•••• </span>{payment.card.last4}</span>;
}

/** The filters, and what they let through. */
export function List({ openId }: { openId: string | undefined }) {
  const query = route.value.query;
  const filter = { status: query.get("status") ?? "", reference: query.get("reference") ?? "", last4: query.get("last4") ?? "", since: query.get("since") ?? "" };
  const change = (part: Partial<store.Filter>) => go(link(openId ? ["payments", openId] : ["payments"], { ...filter, ...part }), { replace: true });
  const show = () => void store.show(filter, gatewayNow());
  const refresh = () => void store.refresh(gatewayNow());
  useEffect(show, [filter.status, filter.reference, filter.last4, filter.since]);
  useLive((event) => { if (event.data?.payment) store.told(event.data.payment); }, refresh);
  useEvery(REFRESH_MILLISECONDS, refresh);
  const isEmpty = !store.feed.value.items.length;
  return (
    <div class="stack">
      <div class="filters">
        <Search />
        <Choice label="Status" value={filter.status} onInput={(status) => change({ status })} options={STATUSES} />
        <Choice label="Time" value={filter.since} onInput={(since) => change({ since })} options={TIMES} />
        {filter.reference && <Button icon="close" onClick={() => change({ reference: "" })}><span class="chip" title={filter.reference}>reference: {filter.reference}</span></Button>}
        {filter.last4 && <Button icon="close" onClick={() => change({ last4: "" })}>card: •••• {filter.last4}</Button>}
      </div>
      {store.failure.value && isEmpty ? <Failed failure={store.failure.value} again={show} /> : <div class="panel"><Table filter={filter} openId={openId} /></div>}
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
      <div class="waiting" role="status">
        {waiting.length > 0 && <Button kind="main" onClick={letIn}>{waiting.length} new {waiting.length === 1 ? "payment" : "payments"}: show</Button>}
      </div>
      <Rows label="Payments" items={items} columns={COLUMNS} keyOf={(payment) => payment.id} openKey={openId} fresh={fresh}
        onOpen={(payment) => go(link(["payments", payment.id], { ...filter }))} />
      <More count={items.length} alone={!filter.last4} />
    </div>
  );
}

/** Shows what has waited, which is at the top. */
function letIn(): void {
  store.showWaiting();
  scrollTo({ top: 0, behavior: "instant" });
}

/** The end of the list: what is nearly reached is loaded before one has to ask, except where looking takes long. */
function More({ count, alone }: { count: number; alone: boolean }) {
  const [busy, end] = [useSignal(false), useRef<HTMLDivElement>(null)];
  const show = async () => {
    if (busy.value || !store.more.value) return;
    busy.value = true;
    await store.showMore(gatewayNow());
    busy.value = false;
  };
  useEffect(() => {
    // No IntersectionObserver: Chromium's misses the end if rows are drawn in the very frame in which it comes near.
    const look = () => {
      const box = end.current?.getBoundingClientRect();
      if (alone && box?.width && box.top < innerHeight + NEAR_PIXELS && !store.failure.value) void show();
    };
    look();
    return onMoving(look);
  }, [count, alone, busy.value]); // what is still near when a page has come is asked for at once
  return (
    <div ref={end}>
      {store.failure.value && <div class="panel-body"><Failed failure={store.failure.value} /></div>}
      <div class="panel-foot">
        <span>{count.toLocaleString("en")} {count === 1 ? "payment" : "payments"} shown</span>
        {store.more.value ? <Button onClick={() => void show()} busy={busy.value}>Show more</Button> : count >= ITEMS_MAX && <span>Use a filter to find older ones.</span>}
      </div>
    </div>
  );
}

function Nothing({ filter }: { filter: store.Filter }) {
  const { last4 } = filter;
  if (store.isFiltered(filter)) {
    return (
      <Empty icon="search" title="No matching payments" actions={
        <>
          <Button onClick={() => go(link(["payments"]))}>Clear the filters</Button>
          {last4 && <Button onClick={() => go(link(["payments"], { reference: last4 }))}>Look for the reference {last4}</Button>}
          {last4 && store.more.value && <Button onClick={() => void store.showMore(gatewayNow())}>Look further back</Button>}
        </>
      }>
        {last4 ? "Only the newest 1,000 payments are searched for a card." : "Remove a filter, or enter the full reference."}
      </Empty>
    );
  }
  return (
    <Empty icon="payments" title="No payments yet" actions={<Button kind="main" icon="plus" onClick={() => go(link(["test"]))}>Make a test payment</Button>}>
      Make one here with a test card, or send your first Authorize. It appears here as soon as it is made.
    </Empty>
  );
}
