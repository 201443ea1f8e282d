/** One request: what was asked, what came of it, and the same once more. */
import { api, result } from "../../api/client.ts";
import { failureOf } from "../../api/failure.ts";
import type { LoggedRequest } from "../../model/timeline.ts";
import { millisecondsOf, span } from "../../model/time.ts";
import { link } from "../../route.ts";
import { Copy, Id } from "../../ui/copy.tsx";
import { Failed, Skeleton } from "../../ui/feedback.tsx";
import { useLoad } from "../../ui/load.ts";
import { Back, Fact } from "../../ui/page.tsx";
import { HttpStatusOf } from "../../ui/status.tsx";
import { Time, ahead, realTimeName } from "../../ui/time.tsx";
import { CallOfRequest } from "./call.tsx";

/** Shows it: as the list has it, or asked for. */
export function RequestDetail({ id, known, back }: { id: string; known: LoggedRequest | undefined; back: string }) {
  const loaded = useLoad(async (signal) => known ?? load(id, signal), [id]);
  const request = loaded.data.value;
  return (
    <div class="panel">
      {loaded.failure.value && <div class="panel-body"><Failed failure={loaded.failure.value} again={() => void loaded.again()} back={back} /></div>}
      {!request && !loaded.failure.value && <Skeleton />}
      {request && <Head request={request} back={back} />}
      {request && (
        <div class="panel-body stack">
          {request.reason && <Refused request={request} />}
          <Facts request={request} />
          <CallOfRequest request={request} />
        </div>
      )}
    </div>
  );
}

async function load(id: string, signal: AbortSignal): Promise<LoggedRequest> {
  const { request } = await result(api.GET("/sandbox/requests/{id}", { params: { path: { id } }, signal }));
  return request;
}

function Head({ request, back }: { request: LoggedRequest; back: string }) {
  return (
    <div class="detail-head">
      <Back to={back} />
      <div class="grow stack-tight">
        <div class="row-wide"><h2>{request.method}</h2><HttpStatusOf status={request.http_status} /></div>
        <Id id={request.id} label="Copy the request id" />
      </div>
    </div>
  );
}

/** Shows the error as it was told, with what to do about it. */
function Refused({ request }: { request: LoggedRequest }) {
  const reply = new Response(null, { status: Math.max(400, request.http_status), headers: { "x-request-id": request.id } });
  return <Failed failure={failureOf(request.reply, reply)} />;
}

function Facts({ request }: { request: LoggedRequest }) {
  const { idempotency_key: key, payment_id } = request;
  // A repeat is answered with the time of the first.
  const made = request.replayed ? undefined : (request.reply as { action?: { create_time?: string } } | undefined)?.action?.create_time;
  return (
    <dl class="facts">
      <Fact name={realTimeName()}><Time at={request.create_time} real /></Fact>
      {ahead.value > 1_000 && made && <Fact name="By the sandbox's clock"><Time at={made} /></Fact>}
      <Fact name="Server time">{span(millisecondsOf(request.duration))}</Fact>
      <Fact name="Protocol">{request.rest ? "REST" : "gRPC"}</Fact>
      <Fact name="gRPC status"><code>{request.code}</code></Fact>
      <Fact name="Idempotency key">{key ? <span class="id"><a href={link(["requests"], { idempotency_key: key })} title={`All requests with ${key}`}>{key}</a><Copy text={key} label="Copy the idempotency key" /></span> : <span class="muted">none</span>}</Fact>
      <Fact name="Replayed">{request.replayed ? "Yes: nothing ran twice" : "No"}</Fact>
      <Fact name="Payment"><Id id={payment_id} to={link(["payments", payment_id])} /></Fact>
      <Fact name="API key"><code>{request.key_id}</code></Fact>
    </dl>
  );
}
