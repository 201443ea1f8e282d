/** The timeline of a payment: actions, requests, events, deliveries and their attempts, in one column. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { api, result, under } from "../../api/client.ts";
import { around, type Deliveries } from "../../model/around.ts";
import { millisecondsOf, span } from "../../model/time.ts";
import { withCurrency } from "../../model/money.ts";
import { ACTION, VERBS, httpShown } from "../../model/statuses.ts";
import { isTaken, timelineOf, type Action, type Delivery, type DeliveryAttempt, type Event, type LoggedRequest, type Moment } from "../../model/timeline.ts";
import type { Payment } from "../../model/possible.ts";
import { link } from "../../route.ts";
import { useAction } from "../../ui/action.ts";
import { Button } from "../../ui/button.tsx";
import { Id } from "../../ui/copy.tsx";
import { Failed, Skeleton } from "../../ui/feedback.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Json } from "../../ui/json.tsx";
import { useEvery, useLoad } from "../../ui/load.ts";
import { ActionStatusOf, HttpStatusOf, ShapeOf } from "../../ui/status.tsx";
import { say } from "../../ui/toasts.tsx";
import { Time, gatewayNow } from "../../ui/time.tsx";
import { CallOfRequest } from "../requests/call.tsx";

/** Webhooks are sent just after their event, of which the stream tells; of them it does not. */
const LOOK_MILLISECONDS = 1_500;
const LOOKS_MAX = 10;
const RECENT_MILLISECONDS = 5_000;

/** Tells how a payment came to be as it is. `version` rises with what may have changed. */
export function Story({ payment, version }: { payment: Payment; version: number }) {
  const over = useRef(new Map<string, Deliveries>()).current;
  const { data, failure, again } = useLoad((signal) => around(payment.id, over, signal), [payment.id]);
  const [latest, looks] = [`${version} ${payment.update_time}`, useSignal(0)];
  const told = useRef(latest);
  useEffect(() => {
    if (told.current === latest) return;
    [told.current, looks.value] = [latest, 0];
    void again();
  }, [latest]);
  useEvery(LOOK_MILLISECONDS, () => {
    const isRecent = gatewayNow().getTime() - Date.parse(payment.update_time) < RECENT_MILLISECONDS;
    if ((!data.value?.isOpen && !isRecent) || looks.value >= LOOKS_MAX) return;
    looks.value++;
    void again();
  });
  if (!data.value && !failure.value) return <Skeleton rows={3} />;
  const moments = timelineOf({ requests: [], turns: [], events: [], attempts: [], ...data.value, actions: payment.actions });
  const sent = new Set(moments.map((moment) => (moment.kind === "delivery" ? moment.delivery.event_id : "")));
  const beginAnew = () => { looks.value = 0; over.clear(); void again(); };
  return (
    <div class="panel-body stack">
      {!data.value && failure.value && <Failed failure={failure.value} again={() => void again()} />}
      <ol class="timeline">{moments.map((moment) => <MomentOf key={moment.key} moment={moment} sent={sent} again={beginAnew} />)}</ol>
    </div>
  );
}

function MomentOf({ moment, sent, again }: { moment: Moment; sent: ReadonlySet<string>; again: () => void }) {
  switch (moment.kind) {
    case "gap": return <li class="gap">{span(moment.milliseconds)} later</li>;
    case "action": return <ActionIn action={moment.action} />;
    case "request": return <RequestIn request={moment.request} at={moment.at} again={again} />;
    case "event": return <EventIn event={moment.event} sent={sent.has(moment.event.id)} again={again} />;
    case "delivery": return <AttemptIn {...moment} />;
  }
}

function Line({ kind, mark, tone, at, name, title, more, inside }: {
  kind: Moment["kind"]; mark: ComponentChildren; tone?: string; at: string; name: string;
  title: ComponentChildren; more?: ComponentChildren; inside?: ComponentChildren;
}) {
  const open = useSignal(false);
  return (
    <li class="moment" data-kind={kind}>
      <span class={`moment-mark ${tone ? `tone-${tone}` : ""}`}>{mark}</span>
      <div class="moment-what">
        <div class="moment-title">
          {title}
          {inside && <Button kind="plain" small onClick={() => { open.value = !open.value; }}>{open.value ? "Less" : "More"}<span class="unseen"> about {name}</span></Button>}
        </div>
        {more && <div class="moment-more">{more}</div>}
      </div>
      <span class="moment-time"><Time at={at} /></span>
      {open.value && <div class="moment-in">{inside}</div>}
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
    action.status === "STATUS_PENDING" ? "No answer from the bank yet; the gateway is checking." : settled >= 1_000 && `settled after ${span(settled)}`,
  ].filter(Boolean).join(" · ");
  const what = `${VERBS[action.type]} ${withCurrency(action.amount)}`;
  return (
    <Line kind="action" mark={<ShapeOf shape={shown.shape} />} tone={shown.tone} at={action.create_time} more={more} name={what}
      title={<>{what} <ActionStatusOf status={action.status} /></>} inside={<Json value={action} />} />
  );
}

function RequestIn({ request, at, again }: { request: LoggedRequest; at: string; again: () => void }) {
  const { idempotency_key: key, replayed, reason } = request;
  return (
    <Line kind="request" mark={<Icon name="requests" />} at={at} name={`the request ${request.method}`}
      title={<><a href={link(["requests", request.id])}>{request.method}</a> <HttpStatusOf status={request.http_status} /> <span class="muted small">{span(millisecondsOf(request.duration))}</span></>}
      more={(reason || replayed || key) && (
        <>
          {reason && <div><code>{reason}</code></div>}
          {replayed && <div>The original reply, replayed. Nothing ran twice.</div>}
          {key && <div class="key"><span>Idempotency key</span> <Id id={key} label="Copy the idempotency key" /></div>}
        </>
      )}
      inside={<CallOfRequest request={request} repeated={again} />} />
  );
}

function EventIn({ event, sent, again }: { event: Event; sent: boolean; again: () => void }) {
  const redeliver = useAction(async (key) => {
    const { deliveries } = await result(api.POST("/events/{id}/redeliver", { params: { path: { id: event.id } }, body: {}, ...under(key) }));
    say(deliveries.length ? `The event is on its way${sent ? " again" : ""}.` : "No enabled endpoint wants this event: add one under Webhooks.", { good: deliveries.length > 0 });
    again();
  });
  const failure = redeliver.failure.value;
  return (
    <Line kind="event" mark={<Icon name="event" />} at={event.create_time} name={event.type}
      title={<><code>{event.type}</code> <Button kind="plain" small icon="again" busy={redeliver.busy.value} onClick={() => void redeliver.run()}>Redeliver</Button></>}
      more={failure && <Failed failure={failure} />}
      inside={<Json value={event} />} />
  );
}

function AttemptIn({ delivery, attempt, isRepeat }: { delivery: Delivery; attempt: DeliveryAttempt; isRepeat: boolean }) {
  const good = isTaken(attempt);
  const which = [attempt.number > 1 && `attempt ${attempt.number}`, isRepeat && "redelivered"].filter(Boolean).join(", ");
  return (
    <Line kind="delivery" mark={<Icon name={good ? "send" : "alert"} />} {...(good ? {} : { tone: httpShown(attempt.status_code).tone })} at={attempt.create_time}
      name={`attempt ${attempt.number} of ${delivery.event_type}`}
      title={<><code>{delivery.event_type}</code> sent to <a href={link(["webhooks", delivery.endpoint_id, delivery.event_id])}><code>{delivery.endpoint_id.slice(0, 9)}…</code></a> <HttpStatusOf status={attempt.status_code} /> <span class="muted small">{which && `${which} · `}{span(millisecondsOf(attempt.duration))}</span></>}
      more={attempt.error || undefined}
      inside={attempt.reply ? <pre class="small">{attempt.reply}</pre> : undefined} />
  );
}
