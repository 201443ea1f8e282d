/** The timeline of a payment: actions, requests, events, deliveries and their attempts, in one column. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, result } from "../../api/client.ts";
import { millisecondsOf, span } from "../../model/time.ts";
import { withCurrency } from "../../model/money.ts";
import { ACTION, VERBS, httpShown } from "../../model/statuses.ts";
import { timelineOf, type Action, type Delivery, type DeliveryAttempt, type Event, type LoggedRequest, type Moment } from "../../model/timeline.ts";
import type { Payment } from "../../model/possible.ts";
import { link } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { Copy } from "../../ui/copy.tsx";
import { Icon, type IconName } from "../../ui/icons.tsx";
import { Json } from "../../ui/json.tsx";
import { useLoad } from "../../ui/load.ts";
import { ActionStatusOf, HttpStatusOf, ShapeOf } from "../../ui/status.tsx";
import { say } from "../../ui/toasts.tsx";
import { Time } from "../../ui/time.tsx";
import { CallOfRequest } from "../requests/call.tsx";

interface Around {
  requests: LoggedRequest[];
  events: Event[];
  attempts: { delivery: Delivery; attempt: DeliveryAttempt }[];
}

const NOTHING: Around = { requests: [], events: [], attempts: [] };

/** Tells how a payment came to be as it is. `version` rises with what may have changed. */
export function Story({ payment, version }: { payment: Payment; version: number }) {
  const around = useLoad((signal) => load(payment.id, signal), [payment.id]);
  const last = useSignal<Around>(NOTHING);
  useEffect(() => { if (version) void around.again(); }, [version, payment.update_time]);
  if (around.data.value) last.value = around.data.value;
  const moments = timelineOf({ actions: payment.actions, ...last.value });
  return <ol class="timeline">{moments.map((moment) => <MomentOf key={moment.key} moment={moment} again={() => void around.again()} />)}</ol>;
}

async function load(id: string, signal: AbortSignal): Promise<Around> {
  const [requests, { events }] = await Promise.all([
    result(api.GET("/sandbox/requests", { params: { query: { payment_id: id, page_size: 100 } }, signal })).then((reply) => reply.requests, () => []),
    result(api.GET("/events", { params: { query: { payment_id: id, page_size: 100 } }, signal })),
  ]);
  const attempts = await Promise.all(events.map((event) => attemptsOf(event.id, signal)));
  return { requests, events, attempts: attempts.flat() };
}

async function attemptsOf(eventId: string, signal: AbortSignal): Promise<Around["attempts"]> {
  const { deliveries } = await result(api.GET("/events/{id}/deliveries", { params: { path: { id: eventId } }, signal }));
  const each = deliveries.map(async (delivery) => {
    const path = { id: eventId, endpoint_id: delivery.endpoint_id };
    const { attempts } = await result(api.GET("/events/{id}/deliveries/{endpoint_id}/attempts", { params: { path }, signal }));
    return attempts.map((attempt) => ({ delivery, attempt }));
  });
  return (await Promise.all(each)).flat();
}

function MomentOf({ moment, again }: { moment: Moment; again: () => void }) {
  switch (moment.kind) {
    case "gap": return <li class="gap">{span(moment.milliseconds)} later</li>;
    case "action": return <ActionIn action={moment.action} />;
    case "request": return <RequestIn request={moment.request} />;
    case "event": return <EventIn event={moment.event} again={again} />;
    case "delivery": return <AttemptIn delivery={moment.delivery} attempt={moment.attempt} />;
  }
}

function Line({ kind, mark, tone, at, title, more, inside }: {
  kind: Moment["kind"]; mark: preact.ComponentChildren; tone?: string; at: string;
  title: preact.ComponentChildren; more?: preact.ComponentChildren; inside?: preact.ComponentChildren;
}) {
  const open = useSignal(false);
  return (
    <li class="moment" data-kind={kind}>
      <span class={`moment-mark ${tone ? `tone-${tone}` : ""}`}>{mark}</span>
      <div class="moment-what">
        <div class="moment-title">
          {title}
          {inside && <Button kind="plain" small onClick={() => { open.value = !open.value; }}>{open.value ? "Less" : "More"}</Button>}
        </div>
        {more && <div class="moment-more">{more}</div>}
        {open.value && <div class="moment-in stack-tight">{inside}</div>}
      </div>
      <span class="moment-time"><Time at={at} /></span>
    </li>
  );
}

function ActionIn({ action }: { action: Action }) {
  const shown = ACTION[action.status];
  const settled = Date.parse(action.update_time) - Date.parse(action.create_time);
  const more = [
    action.reference && `“${action.reference}”`,
    action.approval_code && `approval code ${action.approval_code}`,
    action.decline && `${action.decline.code.replace("CODE_", "")}: ${action.decline.message}`,
    action.status === "STATUS_PENDING" ? "The bank's answer is not known yet; the gateway asks for it." : settled >= 1_000 && `settled after ${span(settled)}`,
  ].filter(Boolean).join(" · ");
  return (
    <Line kind="action" mark={<ShapeOf shape={shown.shape} />} tone={shown.tone} at={action.create_time} more={more}
      title={<>{VERBS[action.type]} {withCurrency(action.amount)} <ActionStatusOf status={action.status} /></>}
      inside={<Json value={action} />} />
  );
}

function RequestIn({ request }: { request: LoggedRequest }) {
  const more = [
    request.idempotency_key && <>idempotency key <code>{request.idempotency_key}</code> <Copy text={request.idempotency_key} label="Copy the idempotency key" /></>,
    request.replayed && "answered from the first reply",
    request.reason && <code>{request.reason}</code>,
  ].filter(Boolean).map((one, index) => <span key={index}>{index > 0 && " · "}{one}</span>);
  return (
    <Line kind="request" mark={<Icon name="requests" />} at={request.create_time} more={more}
      title={<><a href={link(["requests", request.id])}>{request.method}</a> <HttpStatusOf status={request.http_status} /> <span class="muted small">{span(millisecondsOf(request.duration))}</span></>}
      inside={<CallOfRequest request={request} />} />
  );
}

function EventIn({ event, again }: { event: Event; again: () => void }) {
  const redeliver = async () => {
    const { deliveries } = await result(api.POST("/events/{id}/redeliver", { params: { path: { id: event.id } }, body: {} }));
    say(deliveries.length ? `${event.type} is delivered once more.` : "No enabled endpoint wants this event.", { good: deliveries.length > 0 });
    setTimeout(again, 500);
  };
  return (
    <Line kind="event" mark={<Icon name="event" />} at={event.create_time}
      title={<><code>{event.type}</code> <Button kind="plain" small icon="again" onClick={() => void redeliver()}>Redeliver</Button></>}
      inside={<Json value={event} />} />
  );
}

const MARKS: Record<string, IconName> = { true: "send", false: "alert" };

function AttemptIn({ delivery, attempt }: { delivery: Delivery; attempt: DeliveryAttempt }) {
  const good = attempt.status_code >= 200 && attempt.status_code < 300;
  return (
    <Line kind="delivery" mark={<Icon name={MARKS[String(good)] ?? "send"} />} {...(good ? {} : { tone: httpShown(attempt.status_code).tone })} at={attempt.create_time}
      title={<>delivered to <a href={link(["webhooks", delivery.endpoint_id])}><code>{delivery.endpoint_id.slice(0, 9)}…</code></a> <HttpStatusOf status={attempt.status_code} /> <span class="muted small">{span(millisecondsOf(attempt.duration))}</span></>}
      more={attempt.error || undefined}
      inside={attempt.reply ? <pre class="small">{attempt.reply}</pre> : undefined} />
  );
}
