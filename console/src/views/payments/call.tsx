/** A call that was made: what was sent and answered, as code in three languages, and once more with the same key. */
import { useSignal } from "@preact/signals";
import { apiKey } from "../../api/session.ts";
import { caught } from "../../model/caught.ts";
import { PATHS } from "../../model/paths.ts";
import { LANGUAGES, snippet, type CallOf, type Language } from "../../model/snippets.ts";
import type { LoggedRequest } from "../../model/timeline.ts";
import { Button } from "../../ui/button.tsx";
import { Code, Json } from "../../ui/json.tsx";
import { say } from "../../ui/toasts.tsx";

type Tab = "Request" | "Reply" | Language;
const TABS: readonly Tab[] = ["Request", "Reply", ...LANGUAGES];

/** Shows a call of the request log. */
export function CallOfRequest({ request }: { request: LoggedRequest }) {
  const tab = useSignal<Tab>("Request");
  const call = callOf(request);
  return (
    <div class="stack-tight">
      <div class="row-wide between">
        <div class="tabs" role="tablist">
          {TABS.map((one) => <button key={one} type="button" role="tab" aria-selected={tab.value === one} onClick={() => { tab.value = one; }}>{one}</button>)}
        </div>
        {call && <Repeat call={call} request={request} />}
      </div>
      {tab.value === "Request" && <Json value={request.request} />}
      {tab.value === "Reply" && <Json value={request.reply} />}
      {tab.value !== "Request" && tab.value !== "Reply" && call && <Code text={snippet(tab.value, call, location.origin)} label="Copy the code" />}
    </div>
  );
}

/** Sends the same once more. What holds a card is not kept, and can't be sent again from here. */
function Repeat({ call, request }: { call: CallOf; request: LoggedRequest }) {
  const hasCard = JSON.stringify(request.request).includes("card_details");
  const repeat = async () => {
    try {
      const headers = { authorization: `Bearer ${apiKey.value}`, "content-type": "application/json", ...(call.idempotencyKey && { "idempotency-key": call.idempotencyKey }) };
      const reply = await fetch(call.path, { method: call.method, headers, credentials: "omit", ...(call.body && { body: JSON.stringify(call.body) }) });
      const replayed = reply.headers.get("idempotent-replayed") === "true";
      say(`${request.method}: HTTP ${reply.status}${replayed ? ", the first reply once more: nothing was done twice" : ""}.`, { good: reply.ok });
    } catch (problem) {
      say(caught(problem).message, { good: false });
    }
  };
  const refused = hasCard ? "The card is not kept, so the same request can't be sent again from here: use curl." : undefined;
  return <Button icon="again" refused={refused} onClick={() => void repeat()}>{call.idempotencyKey ? "Repeat with the same key" : "Repeat"}</Button>;
}

/** Returns a logged call as one of REST, if it is one of the paths that are known here. */
export function callOf(request: LoggedRequest): CallOf | undefined {
  const known = PATHS[request.method];
  if (!known) return undefined;
  const sent = { ...(request.request as Record<string, unknown>) };
  const path = known.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(sent[name] ?? "");
    delete sent[name];
    return encodeURIComponent(value);
  });
  if (known.method === "GET" || known.method === "DELETE") {
    const query = new URLSearchParams(Object.entries(sent).map(([name, value]) => [name, String(value)]));
    return { method: known.method, path: query.size ? `${path}?${query}` : path };
  }
  return { method: known.method, path, body: sent, idempotencyKey: request.idempotency_key || undefined };
}
