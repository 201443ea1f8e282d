/** A call that was made: what was sent and answered, as code in three languages, and once more with the same key. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { send } from "../../api/client.ts";
import { failureOf } from "../../api/failure.ts";
import { APPROVED_PAN } from "../../model/cards.ts";
import { callOf, hasCard, isPartial, withTestCard } from "../../model/logged.ts";
import type { LoggedRequest } from "../../model/timeline.ts";
import { LANGUAGES, snippet, type CallOf, type Language } from "../../model/snippets.ts";
import { useAction, type Action } from "../../ui/action.ts";
import { Button } from "../../ui/button.tsx";
import { Failed } from "../../ui/feedback.tsx";
import { Code, Json } from "../../ui/json.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { gatewayNow } from "../../ui/time.tsx";
import { say } from "../../ui/toasts.tsx";

type Tab = "Request" | "Reply" | Language;

/** Shows a call of the request log. */
export function CallOfRequest({ request, repeated }: { request: LoggedRequest; repeated?: () => void }) {
  const tab = useSignal<Tab>("Request");
  const call = callOf(request);
  const tabs: Tab[] = ["Request", "Reply", ...(call ? LANGUAGES : [])];
  const repeat = useAction(async () => { if (call) await sendAgain(call, request).finally(repeated); });
  return (
    <div class="stack-tight">
      <Tabs label="Call" tabs={tabs} open={tab.value} onOpen={(one) => { tab.value = one; }} actions={call && <Repeat call={call} request={request} action={repeat} />}>
        <Inside tab={tab.value} request={request} call={call} />
      </Tabs>
      {repeat.failure.value && <Failed failure={repeat.failure.value} />}
    </div>
  );
}

function Inside({ tab, request, call }: { tab: Tab; request: LoggedRequest; call: CallOf | undefined }) {
  if (tab === "Request") return <div class="stack-tight"><Json value={request.request ?? {}} label="Copy the request" /><p class="muted small">{NO_ZEROS}</p></div>;
  if (tab === "Reply") return request.reply ? <Json value={request.reply} label="Copy the reply" /> : <p class="muted">No reply was made.</p>;
  if (!call) return null;
  return (
    <div class="stack-tight">
      <KeyNote />
      {isPartial(request) && <p class="muted small">{notKept(request)}</p>}
      <Code text={snippet(tab, withTestCard(call, request, gatewayNow()), location.origin)} label="Copy the code" />
    </div>
  );
}

/** Protobuf does not tell them from what was not sent. */
const NO_ZEROS = "As the gateway got it. A field that is 0, false or empty counts as not sent, and is left out.";

function notKept(request: LoggedRequest): ComponentChildren {
  if (hasCard(request)) return <>The card that was sent is not kept: the public test card <code>{APPROVED_PAN}</code> stands in its place, and no idempotency key, since that belongs to the first card.</>;
  return <>Tokens and secrets are not kept: put your own in the place of <code>••••</code>.</>;
}

/** Says where the key of a call that is shown as code comes from. */
export function KeyNote() {
  return <p class="muted small">In the folder of paygate this sets <code>PAYGATE_API_KEY</code>: <code>set -a; source "$(make ready)"; set +a</code></p>;
}

/** Sends the same once more. */
async function sendAgain(call: CallOf, { method }: LoggedRequest): Promise<void> {
  const headers = { "content-type": "application/json", ...(call.idempotencyKey && { "idempotency-key": call.idempotencyKey }) };
  const reply = await send(new Request(call.path, { method: call.method, headers, ...(call.body && { body: JSON.stringify(call.body) }) }));
  const replayed = reply.headers.get("idempotent-replayed") === "true";
  const word = `HTTP ${reply.status}${replayed ? ", the original reply replayed. Nothing ran twice" : ""}.`;
  say(`${method}: ${word}`, { good: reply.ok });
  if (!reply.ok) throw failureOf(await reply.json().catch(() => undefined), reply);
}

/** What the log does not hold can't be sent again from here. */
function Repeat({ call, request, action }: { call: CallOf; request: LoggedRequest; action: Action }) {
  const refused = isPartial(request) ? "The log does not keep all of this request, such as the card, so it can't be sent again from here: use curl." : undefined;
  return <Button icon="again" refused={refused} busy={action.busy.value} onClick={() => void action.run()}>{call.idempotencyKey ? "Repeat with the same key" : "Repeat"}</Button>;
}
