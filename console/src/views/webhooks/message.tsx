/** One message of the inbox: what was posted, byte for byte, and how a receiver checks that it is ours. */
import { useSignal } from "@preact/signals";
import { CHECKERS, checking, toldIn, type Checker } from "../../model/hooks.ts";
import { link } from "../../route.ts";
import { Copy, Id } from "../../ui/copy.tsx";
import { Code, Json } from "../../ui/json.tsx";
import { Back, Fact, Panel } from "../../ui/page.tsx";
import { HttpStatusOf } from "../../ui/status.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Time } from "../../ui/time.tsx";
import type { InboxMessage } from "./inbox.tsx";

/** Shows it. */
export function MessageDetail({ message }: { message: InboxMessage }) {
  const { type, paymentId, value } = toldIn(message.body);
  return (
    <div class="stack">
      <div class="panel">
        <div class="detail-head">
          <Back to={link(["webhooks", "inbox"])} where="inbox" />
          <div class="grow stack-tight">
            <div class="row-wide"><h2><code>{type || "A message"}</code></h2><HttpStatusOf status={message.status_code} /></div>
            <Id id={message.id} />
          </div>
        </div>
        <div class="panel-body">
          <dl class="facts">
            <Fact name="Arrived"><Time at={message.create_time} /></Fact>
            <Fact name="Payment"><Id id={paymentId} to={link(["payments", paymentId])} /></Fact>
            <Fact name="Event"><Id id={message.event_id} to={link(["webhooks", message.endpoint_id, message.event_id])} /></Fact>
            <Fact name="Endpoint"><Id id={message.endpoint_id} to={link(["webhooks", message.endpoint_id])} /></Fact>
          </dl>
        </div>
      </div>
      <Panel title="Body" actions={<span class="row small muted">as it was signed <Copy text={message.body} label="Copy the body as it was signed" /></span>}>
        {value === undefined ? <Code text={message.body} label="Copy the body" /> : <Json value={value} />}
      </Panel>
      <Panel title="Headers"><Headers headers={message.headers} /></Panel>
      <Panel title="Signature"><Signature headers={message.headers} /></Panel>
    </div>
  );
}

function Headers({ headers }: { headers: InboxMessage["headers"] }) {
  return (
    <dl class="pairs">
      {Object.entries(headers).sort().map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

function Signature({ headers }: { headers: InboxMessage["headers"] }) {
  const language = useSignal<Checker>("Python");
  const signatures = (headers["webhook-signature"] ?? "").split(" ").filter(Boolean);
  return (
    <div class="stack-tight">
      <p>
        HMAC-SHA256 of <code>webhook-id.webhook-timestamp.body</code> under the endpoint's secret, in base64, following <a href="https://www.standardwebhooks.com" rel="noreferrer">Standard Webhooks</a>.
        {signatures.length > 1 && " While a secret rotates there are two: one of them must match."}
      </p>
      <Tabs label="How to check it" tabs={CHECKERS} open={language.value} onOpen={(one) => { language.value = one; }}>
        <Code text={checking[language.value]} label="Copy the code" />
      </Tabs>
      <p class="small muted">Check before you parse, and drop a <code>webhook-id</code> that you have seen. <a href="/docs">More in the API reference.</a></p>
    </div>
  );
}
