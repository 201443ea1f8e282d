/** One endpoint: what it is, what can be done with it, and what became of the events that went to it. */
import { useSignal } from "@preact/signals";
import { api, result, under } from "../../api/client.ts";
import { isInbox, type Endpoint } from "../../model/hooks.ts";
import { go, link } from "../../route.ts";
import { useAction, type Action } from "../../ui/action.ts";
import { Button } from "../../ui/button.tsx";
import { Id } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failed, Skeleton } from "../../ui/feedback.tsx";
import { useEvery, useLoad } from "../../ui/load.ts";
import { Back, Fact } from "../../ui/page.tsx";
import { EndpointStatusOf } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";
import { say } from "../../ui/toasts.tsx";
import { Deliveries } from "./deliveries.tsx";
import { Edit } from "./edit.tsx";
import { Rotate, type Shown } from "./secret.tsx";

const REFRESH_MILLISECONDS = 4_000;
export const DISABLED = "The webhook endpoint is disabled: enable it first. (WEBHOOK_ENDPOINT_DISABLED)";

interface Props {
  id: string;
  openEvent: string | undefined;
  reveal: (shown: Shown) => void;
  /** Called when something of it is another now. */
  changed: () => void;
}

/** Shows an endpoint, and keeps it as it is now: an answer of 410 disables it. */
export function EndpointDetail({ id, openEvent, reveal, changed }: Props) {
  const loaded = useLoad((signal) => load(id, signal), [id]);
  useEvery(REFRESH_MILLISECONDS, loaded.again);
  const version = useSignal(0);
  const done = () => {
    version.value++;
    void loaded.again();
    changed();
  };
  const endpoint = loaded.data.value;
  return (
    <div class="stack">
      <div class="panel">
        {loaded.failure.value && <div class="panel-body"><Failed failure={loaded.failure.value} again={() => void loaded.again()} back={link(["webhooks"])} /></div>}
        {!endpoint && !loaded.failure.value && <Skeleton rows={3} />}
        {endpoint && <Head endpoint={endpoint} reveal={reveal} done={done} changed={changed} />}
        {endpoint && <div class="panel-body"><Facts endpoint={endpoint} /></div>}
      </div>
      {endpoint && <Deliveries endpoint={endpoint} openEvent={openEvent} version={version.value} />}
    </div>
  );
}

async function load(id: string, signal: AbortSignal): Promise<Endpoint> {
  const { endpoint } = await result(api.GET("/webhook-endpoints/{id}", { params: { path: { id } }, signal }));
  return endpoint;
}

interface HeadProps extends Pick<Props, "reveal" | "changed"> {
  endpoint: Endpoint;
  done: () => void;
}

function Head({ endpoint, reveal, done, changed }: HeadProps) {
  const open = useSignal<"edit" | "rotate" | "delete" | undefined>(undefined);
  const close = () => { open.value = undefined; };
  const isOn = endpoint.status === "STATUS_ENABLED";
  const params = { path: { id: endpoint.id } };
  const test = useAction(async (key) => {
    await result(api.POST("/webhook-endpoints/{id}/test", { params, body: {}, ...under(key) }));
    say("A test event is on its way.");
    done();
  });
  const turn = useAction(async () => {
    await result(api.PATCH("/webhook-endpoints/{id}", { params, body: { status: isOn ? "STATUS_DISABLED" : "STATUS_ENABLED" } }));
    say(isOn ? "The endpoint is disabled: events no longer go to it." : "The endpoint is enabled.");
    done();
  });
  const failure = test.failure.value ?? turn.failure.value;
  return (
    <div class="detail-head">
      <Back to={link(["webhooks"])} />
      <div class="grow stack-tight">
        <h2 class="anywhere">{endpoint.url}</h2>
        <div class="row"><EndpointStatusOf status={endpoint.status} /><Id id={endpoint.id} /></div>
      </div>
      <div class="detail-actions whole">
        <Button kind="main" icon="send" refused={isOn ? undefined : DISABLED} busy={test.busy.value} onClick={() => void test.run()}>Send a test</Button>
        <Button onClick={() => { open.value = "edit"; }}>Edit</Button>
        <Button busy={turn.busy.value} onClick={() => void turn.run()}>{isOn ? "Disable" : "Enable"}</Button>
        <Button icon="key" onClick={() => { open.value = "rotate"; }}>Rotate secret</Button>
        <Button kind="danger" onClick={() => { open.value = "delete"; }}>Delete</Button>
      </div>
      {failure && <Failed failure={failure} />}
      {open.value === "edit" && <Edit endpoint={endpoint} onClose={close} done={done} />}
      {open.value === "rotate" && <Rotate endpoint={endpoint} onClose={close} reveal={reveal} />}
      {open.value === "delete" && <Delete endpoint={endpoint} onClose={close} changed={changed} />}
    </div>
  );
}

function Delete({ endpoint, onClose, changed }: { endpoint: Endpoint; onClose: () => void; changed: () => void }) {
  const action: Action = useAction(async () => {
    await result(api.DELETE("/webhook-endpoints/{id}", { params: { path: { id: endpoint.id } } }));
    say("The endpoint was deleted.");
    onClose();
    go(link(["webhooks"]));
    changed();
  });
  return (
    <Dialog title="Delete the endpoint?" onClose={onClose} onSubmit={() => void action.run()}
      foot={<><Button onClick={onClose}>Cancel</Button><Button kind="danger" submit busy={action.busy.value}>Delete it</Button></>}>
      <p><code class="anywhere">{endpoint.url}</code> gets no more events. Pending deliveries are dropped, and its delivery history is deleted.</p>
      <p>To keep it for later, disable it instead.</p>
      {action.failure.value && <Failed failure={action.failure.value} />}
    </Dialog>
  );
}

function Facts({ endpoint }: { endpoint: Endpoint }) {
  return (
    <dl class="facts">
      <Fact name="Events">{endpoint.event_types.length ? <span>{endpoint.event_types.map((type) => <div key={type}><code>{type}</code></div>)}</span> : "All events, including future ones"}</Fact>
      <Fact name="Description">{endpoint.description || <span class="muted">none</span>}</Fact>
      <Fact name="Created"><Time at={endpoint.create_time} /></Fact>
      <Fact name="Changed"><Time at={endpoint.update_time} /></Fact>
      {isInbox(endpoint.url) && <Fact name="Inbox"><a href={link(["webhooks", "inbox"])}>Open the inbox</a></Fact>}
    </dl>
  );
}
