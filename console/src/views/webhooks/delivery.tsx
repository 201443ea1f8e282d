/** One delivery: each attempt, what the receiver said, and the event itself. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Failure, api, result, under } from "../../api/client.ts";
import type { Endpoint } from "../../model/hooks.ts";
import { httpShown } from "../../model/statuses.ts";
import { millisecondsOf, span } from "../../model/time.ts";
import type { Delivery, DeliveryAttempt } from "../../model/timeline.ts";
import { link } from "../../route.ts";
import { useAction } from "../../ui/action.ts";
import { Button } from "../../ui/button.tsx";
import { Id } from "../../ui/copy.tsx";
import { Failed, Skeleton } from "../../ui/feedback.tsx";
import { Code, Json } from "../../ui/json.tsx";
import { useEvery, useLoad } from "../../ui/load.ts";
import { POLL_MILLISECONDS } from "../../ui/polling.ts";
import { DeliveryStatusOf, HttpStatusOf, ShapeOf } from "../../ui/status.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { say } from "../../ui/toasts.tsx";
import { Time } from "../../ui/time.tsx";
import { DISABLED } from "./endpoint.tsx";

type Tab = "Attempts" | "Event";

interface Props {
  delivery: Delivery;
  endpoint: Endpoint;
  /** Tells the list what a reply says of it. */
  told: (delivery: Delivery) => void;
}

/** Shows it under its row. */
export function DeliveryDetail({ delivery, endpoint, told }: Props) {
  const tab = useSignal<Tab>("Attempts");
  const shown = useRef<HTMLDivElement>(null);
  useEffect(() => shown.current?.scrollIntoView({ block: "nearest" }), []);
  const redeliver = useAction(async (key) => {
    const call = { params: { path: { id: delivery.event_id } }, body: { endpoint_id: delivery.endpoint_id }, ...under(key) };
    const { deliveries } = await result(api.POST("/events/{id}/redeliver", call));
    deliveries.forEach(told);
    say("The event is on its way again.");
  });
  const refused = endpoint.status === "STATUS_ENABLED" ? undefined : DISABLED;
  const actions = <Button icon="again" refused={refused} busy={redeliver.busy.value} onClick={() => void redeliver.run()}>Redeliver</Button>;
  return (
    <div ref={shown} class="stack-tight">
      <Tabs label="Delivery" tabs={["Attempts", "Event"]} open={tab.value} onOpen={(one) => { tab.value = one; }} actions={actions}>
        {tab.value === "Attempts" ? <Attempts delivery={delivery} /> : <EventOf id={delivery.event_id} />}
      </Tabs>
      {redeliver.failure.value && <Failed failure={redeliver.failure.value} />}
      <div class="row-wide small muted">
        <span class="row">Event <Id id={delivery.event_id} /></span>
        {delivery.payment_id && <span class="row">Payment <Id id={delivery.payment_id} to={link(["payments", delivery.payment_id])} /></span>}
      </div>
    </div>
  );
}

/** Shows one that is not in the list: an older one, or one that the filter leaves out. */
export function OtherDelivery({ id, endpoint }: { id: string; endpoint: Endpoint }) {
  const loaded = useLoad((signal) => deliveryOf(id, endpoint.id, signal), [id, endpoint.id]);
  useEvery(POLL_MILLISECONDS, loaded.again);
  const delivery = loaded.data.value;
  return (
    <div class="panel-body">
      {loaded.failure.value && <Failed failure={loaded.failure.value} again={() => void loaded.again()} />}
      {delivery && <><div class="row"><DeliveryStatusOf status={delivery.status} /><code>{delivery.event_type}</code></div><DeliveryDetail delivery={delivery} endpoint={endpoint} told={() => void loaded.again()} /></>}
    </div>
  );
}

async function deliveryOf(id: string, endpointId: string, signal: AbortSignal): Promise<Delivery> {
  const { deliveries } = await result(api.GET("/events/{id}/deliveries", { params: { path: { id }, query: { page_size: 100 } }, signal }));
  const found = deliveries.find((one) => one.endpoint_id === endpointId);
  if (!found) throw new Failure("NOT_FOUND", "This event did not go to this endpoint.");
  return found;
}

function Attempts({ delivery }: { delivery: Delivery }) {
  const { event_id: id, endpoint_id } = delivery;
  const loaded = useLoad((signal) => load(id, endpoint_id, signal), [id, endpoint_id]);
  useEffect(() => { if (loaded.data.value) void loaded.again(); }, [delivery.status, delivery.attempts, delivery.last_attempt_time]);
  const attempts = loaded.data.value;
  if (loaded.failure.value) return <Failed failure={loaded.failure.value} again={() => void loaded.again()} />;
  if (!attempts) return <Skeleton rows={2} />;
  return (
    <>
      {delivery.status === "STATUS_PENDING" && <p class="muted small">{attempts.length ? "The next attempt is " : "The first attempt is "}<Time at={delivery.next_attempt_time} relative />.</p>}
      <ol class="timeline">{attempts.map((attempt) => <Attempt key={attempt.number} attempt={attempt} />)}</ol>
    </>
  );
}

async function load(id: string, endpoint_id: string, signal: AbortSignal): Promise<DeliveryAttempt[]> {
  const params = { path: { id, endpoint_id }, query: { page_size: 100 } };
  const { attempts } = await result(api.GET("/events/{id}/deliveries/{endpoint_id}/attempts", { params, signal }));
  return attempts;
}

function Attempt({ attempt }: { attempt: DeliveryAttempt }) {
  const shown = httpShown(attempt.status_code);
  return (
    <li class="moment">
      <span class={`moment-mark tone-${shown.tone}`}><ShapeOf shape={shown.shape} /></span>
      <div class="moment-what">
        <div class="moment-title">Attempt {attempt.number} <HttpStatusOf status={attempt.status_code} /> <span class="muted small">{span(millisecondsOf(attempt.duration))}</span></div>
        {attempt.error && <div class="moment-more">{attempt.error}</div>}
        {attempt.reply && <div class="moment-in"><Code text={attempt.reply} label="Copy the reply" /></div>}
      </div>
      <span class="moment-time"><Time at={attempt.create_time} /></span>
    </li>
  );
}

function EventOf({ id }: { id: string }) {
  const { data, failure, again } = useLoad((signal) => result(api.GET("/events/{id}", { params: { path: { id } }, signal })), [id]);
  if (failure.value) return <Failed failure={failure.value} again={() => void again()} />;
  return data.value ? <Json value={data.value.event} label="Copy the event" /> : <Skeleton rows={4} />;
}
