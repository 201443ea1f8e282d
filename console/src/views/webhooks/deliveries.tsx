/** What became of the events that went to an endpoint: the newest first, and as it happens. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, result, under } from "../../api/client.ts";
import { go, link, route } from "../../route.ts";
import type { Endpoint } from "../../model/hooks.ts";
import type { Delivery } from "../../model/timeline.ts";
import { useAction } from "../../ui/action.ts";
import { Button } from "../../ui/button.tsx";
import { ShortId } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Empty, Failed } from "../../ui/feedback.tsx";
import { Check, Select } from "../../ui/field.tsx";
import { Panel } from "../../ui/page.tsx";
import { PolledRows } from "../../ui/polled.tsx";
import { usePolling } from "../../ui/polling.ts";
import type { Column } from "../../ui/rows.tsx";
import { DeliveryStatusOf, HttpStatusOf } from "../../ui/status.tsx";
import { say } from "../../ui/toasts.tsx";
import { Time, gatewayNow } from "../../ui/time.tsx";
import { DeliveryDetail, OtherDelivery } from "./delivery.tsx";

const COLUMNS: readonly Column<Delivery>[] = [
  { head: "Status", width: "later", cell: (delivery) => <StatusAndNext delivery={delivery} /> },
  { head: "Event", cell: (delivery) => <code title={delivery.event_type}>{delivery.event_type || delivery.event_id}</code> },
  { head: "Payment", width: "short", cell: ({ payment_id }) => <ShortId id={payment_id} to={link(["payments", payment_id])} />, room: "tightest" },
  { head: "Answer", width: "answer", cell: (delivery) => <Answer delivery={delivery} /> },
  { head: "Created", width: "time", figures: true, cell: (delivery) => <Time at={delivery.create_time} />, room: "tight" },
];

function StatusAndNext({ delivery }: { delivery: Delivery }) {
  const isLater = delivery.status === "STATUS_PENDING" && delivery.attempts > 0;
  return <span class="row"><DeliveryStatusOf status={delivery.status} />{isLater && <span class="muted small"><Time at={delivery.next_attempt_time} relative /></span>}</span>;
}

function Answer({ delivery }: { delivery: Delivery }) {
  if (!delivery.last_attempt_time) return <span class="muted">{delivery.status === "STATUS_FAILED" ? "not tried" : "none yet"}</span>;
  const { attempts, last_error, last_status_code } = delivery;
  return <span class="row" title={last_error}><HttpStatusOf status={last_status_code} />{attempts > 1 && <span class="muted small" title={`${attempts} attempts`}>×{attempts}</span>}</span>;
}

interface Props {
  endpoint: Endpoint;
  openEvent: string | undefined;
  /** Rises with what may have made new ones. */
  version: number;
}

/** Shows them. */
export function Deliveries({ endpoint, openEvent, version }: Props) {
  const query = Object.fromEntries(route.value.query);
  const failed = Boolean(query["failed"]);
  const asking = useSignal(false);
  const { id } = endpoint;
  const polling = usePolling({ ask: (token, signal) => pageOf(id, failed, token, signal), keyOf: (one) => one.event_id, by: [id, failed] });
  useEffect(() => { if (version) void polling.anew(); }, [version]);
  const at = (eventId?: string) => link(["webhooks", id, ...(eventId ? [eventId] : [])], query);
  const turn = (on: boolean) => go(link(["webhooks", id], { ...query, failed: on ? "1" : undefined }), { replace: true });
  const list = polling.list.value;
  const isElsewhere = openEvent && list && ![...list.items, ...list.waiting].some((one) => one.event_id === openEvent);
  return (
    <Panel title="Deliveries" padded={false} actions={<>
      <Check label="Failed only" on={failed} onInput={turn} />
      <Button icon="again" onClick={() => { asking.value = true; }}>Redeliver failed…</Button>
    </>}>
      {isElsewhere && <OtherDelivery key={openEvent} id={openEvent} endpoint={endpoint} />}
      <PolledRows polling={polling} label="Deliveries" nouns={["delivery", "deliveries"]} columns={COLUMNS} openKey={openEvent} empty={<Nothing failed={failed} turn={turn} />}
        onOpen={(one) => go(at(one.event_id === openEvent ? undefined : one.event_id), { replace: true })}
        below={(one) => <DeliveryDetail delivery={one} endpoint={endpoint} told={polling.told} />} />
      {asking.value && <RedeliverFailed endpoint={endpoint} onClose={() => { asking.value = false; }} done={() => void polling.anew()} />}
    </Panel>
  );
}

async function pageOf(id: string, failed: boolean, token: string, signal: AbortSignal) {
  const query = { page_size: 50, ...(failed && { status: "STATUS_FAILED" as const }), ...(token && { page_token: token }) };
  const reply = await result(api.GET("/webhook-endpoints/{id}/deliveries", { params: { path: { id }, query }, signal }));
  return { items: reply.deliveries, next: reply.next_page_token };
}

function Nothing({ failed, turn }: { failed: boolean; turn: (on: boolean) => void }) {
  if (failed) {
    return <Empty icon="check" title="No failed deliveries" actions={<Button onClick={() => turn(false)}>Show all deliveries</Button>}>A delivery fails when its last attempt, after more than three days, fails, or when the receiver answers 410 Gone.</Empty>;
  }
  return (
    <Empty icon="send" title="No deliveries yet" actions={<Button icon="plus" onClick={() => go(link(["test"]))}>Make a test payment</Button>}>
      Send a test, or make a payment: its events appear here as soon as they are sent.
    </Empty>
  );
}

const SINCE = [["3600", "The last hour"], ["86400", "The last 24 hours"], ["604800", "The last 7 days"], ["2592000", "The last 30 days"]] as const;
const COUNT_MAX = 10_000; // of one call

function RedeliverFailed({ endpoint, onClose, done }: { endpoint: Endpoint; onClose: () => void; done: () => void }) {
  const seconds = useSignal("86400");
  const action = useAction(async (key) => {
    const since = new Date(gatewayNow().getTime() - 1_000 * Number(seconds.value)).toISOString();
    const { count } = await result(api.POST("/webhook-endpoints/{id}/redeliver-failed", { params: { path: { id: endpoint.id } }, body: { since }, ...under(key) }));
    say(count ? wordOf(count) : noneOf(await retriedOf(endpoint.id)));
    onClose();
    done();
  });
  return (
    <Dialog title="Redeliver failed" onClose={onClose} onSubmit={() => void action.run()}
      foot={<><Button onClick={onClose}>Cancel</Button><Button kind="main" submit busy={action.busy.value}>Redeliver</Button></>}>
      <p>Retries every failed delivery to <code class="anywhere">{endpoint.url}</code> for events in this period.</p>
      <Select label="Since" value={seconds.value} onInput={(value) => { seconds.value = value; }} options={SINCE} />
      {action.failure.value && <Failed failure={action.failure.value} />}
    </Dialog>
  );
}

/** Returns how many deliveries are between two attempts; undefined if one look does not tell. */
async function retriedOf(id: string): Promise<number | undefined> {
  const query = { page_size: 100, status: "STATUS_PENDING" as const };
  const reply = await result(api.GET("/webhook-endpoints/{id}/deliveries", { params: { path: { id }, query } })).catch(() => undefined);
  return reply && !reply.next_page_token ? reply.deliveries.filter((one) => one.attempts > 0).length : undefined;
}

const noneOf = (retried: number | undefined): string =>
  `No delivery has failed for good since then${retried ? `; ${retried} ${retried === 1 ? "is" : "are"} still being retried` : ""}.`;

function wordOf(count: number): string {
  const said = `${count} failed ${count === 1 ? "delivery is" : "deliveries are"} being sent again.`;
  return count < COUNT_MAX ? said : `${said} There are more: repeat this.`;
}
