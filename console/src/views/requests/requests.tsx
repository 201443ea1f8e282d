/** The request log: calls that were made with a key of this merchant, the newest first, as they come. */
import { useMemo } from "preact/hooks";
import { api, result } from "../../api/client.ts";
import type { LoggedRequest } from "../../model/timeline.ts";
import { millisecondsOf, span } from "../../model/time.ts";
import { go, link, route } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { ShortId } from "../../ui/copy.tsx";
import { Empty } from "../../ui/feedback.tsx";
import { useKeys } from "../../ui/keys.ts";
import { PageOf } from "../../ui/page.tsx";
import { PolledRows } from "../../ui/polled.tsx";
import { usePolling } from "../../ui/polling.ts";
import { RowLink, type Column } from "../../ui/rows.tsx";
import { HttpStatusOf } from "../../ui/status.tsx";
import { Time, realTimeName } from "../../ui/time.tsx";
import type { paths } from "../../../../clients/typescript/src/api.ts";
import { Filters, filterOf, isNarrow, type Filter } from "./filters.tsx";
import { RequestDetail } from "./request.tsx";

type Method = NonNullable<NonNullable<paths["/sandbox/requests"]["get"]["parameters"]["query"]>["method"]>;

const PAGE = 100;

const columnsOf = (timeName: string): readonly Column<LoggedRequest>[] => [
  { head: "Method", width: "method", cell: ({ id, method }) => <RowLink to={["requests", id]} class="strong" title={method}>{method}</RowLink> },
  { head: "Status", width: "code", cell: (request) => <HttpStatusOf status={request.http_status} /> },
  { head: "Reason", cell: ({ reason, replayed }) => reason ? <code title={reason}>{reason}</code> : replayed ? <span class="muted">replayed</span> : <span class="muted">–</span>, room: "wide" },
  { head: "Idempotency key", width: "words", cell: ({ idempotency_key: key }) => key ? <code title={key}>{key}</code> : <span class="muted">–</span>, room: "widest" },
  { head: "Payment", width: "short", cell: ({ payment_id: id }) => <ShortId id={id} to={link(["payments", id])} />, room: "widest" },
  { head: "Duration", width: "short", figures: true, cell: (request) => span(millisecondsOf(request.duration)), room: "wide" },
  { head: timeName, width: "time", figures: true, cell: (request) => <Time at={request.create_time} real /> },
];

/** The list, with the request that the address names beside it. */
export function Requests() {
  const { path, query } = route.value;
  const filter = filterOf(query);
  const id = path[1];
  const back = link(["requests"], { ...filter });
  useKeys(id ? { Escape: () => go(back) } : {});
  const polling = usePolling({
    ask: (token, signal) => pageOf(filter, token, signal), keyOf: (one) => one.id,
    by: [filter.failed, filter.method, filter.idempotency_key, filter.payment_id],
  });
  const timeName = realTimeName();
  const columns = useMemo(() => columnsOf(timeName), [timeName]);
  const known = polling.list.value?.items.find((one) => one.id === id);
  return (
    <PageOf title="Requests">
      <div class="split" data-open={Boolean(id)}>
        <div class="split-list stack">
          <Filters filter={filter} path={path} />
          <div class="panel">
            <PolledRows polling={polling} label="Requests" nouns={["request", "requests"]} columns={columns} openKey={id}
              onOpen={(one) => go(link(["requests", one.id], { ...filter }))} empty={<Nothing filter={filter} />} />
          </div>
        </div>
        {id && <div class="split-detail"><RequestDetail key={id} id={id} known={known} back={back} /></div>}
      </div>
    </PageOf>
  );
}

async function pageOf(filter: Filter, token: string, signal: AbortSignal) {
  const { failed, method, idempotency_key, payment_id } = filter;
  const query = {
    page_size: PAGE,
    ...(failed && { failed: true }),
    ...(method && { method: method as Method }), // the gateway says if it is none
    ...(idempotency_key && { idempotency_key }),
    ...(payment_id && { payment_id }),
    ...(token && { page_token: token }),
  };
  const reply = await result(api.GET("/sandbox/requests", { params: { query }, signal }));
  return { items: reply.requests, next: reply.next_page_token };
}

function Nothing({ filter }: { filter: Filter }) {
  const said = (
    <>
      Calls that the edge refuses itself are not here, since no service sees them: a wrong key, an unknown path or field, a body that is no JSON. Their
      replies say what was wrong.
    </>
  );
  if (isNarrow(filter)) {
    return <Empty icon="search" title="No matching requests" actions={<Button onClick={() => go(link(["requests"]))}>Clear the filters</Button>}>{said}</Empty>;
  }
  return (
    <Empty icon="requests" title="No requests yet" actions={<Button kind="main" icon="plus" onClick={() => go(link(["test"]))}>Make a test payment</Button>}>
      Each call with your key appears here a second after its reply, except what this console only reads. {said}
    </Empty>
  );
}
