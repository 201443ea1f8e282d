/** What the sandbox's own receiver has got: the newest first, as it comes. */
import { api, result, under, type Schemas } from "../../api/client.ts";
import { INBOX_URL, isInbox, toldIn, type Endpoint } from "../../model/hooks.ts";
import { go, link } from "../../route.ts";
import { useAction } from "../../ui/action.ts";
import { Button } from "../../ui/button.tsx";
import { ShortId } from "../../ui/copy.tsx";
import { Empty, Failed } from "../../ui/feedback.tsx";
import { PolledRows } from "../../ui/polled.tsx";
import { usePolling } from "../../ui/polling.ts";
import type { Column } from "../../ui/rows.tsx";
import { HttpStatusOf } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";
import { say } from "../../ui/toasts.tsx";
import { MessageDetail } from "./message.tsx";
import type { Shown } from "./secret.tsx";

export type InboxMessage = Schemas["InboxMessage"];

const typeOf = (message: InboxMessage): string => toldIn(message.body).type || message.event_id;
const paymentOf = (message: InboxMessage): string => toldIn(message.body).paymentId;

const COLUMNS: readonly Column<InboxMessage>[] = [
  { head: "Event", cell: (message) => <a href={link(["webhooks", "inbox", message.id])} class="mono">{typeOf(message)}</a> },
  { head: "Answered", width: "code", cell: (message) => <HttpStatusOf status={message.status_code} /> },
  { head: "Payment", width: "short", cell: (message) => <ShortId id={paymentOf(message)} to={link(["payments", paymentOf(message)])} />, room: "beside" },
  { head: "Endpoint", width: "short", cell: ({ endpoint_id }) => <ShortId id={endpoint_id} to={link(["webhooks", endpoint_id])} />, room: "wide" },
  { head: "Arrived", width: "time", figures: true, cell: (message) => <Time at={message.create_time} /> },
];

interface Props {
  endpoints: readonly Endpoint[];
  openId: string | undefined;
  reveal: (shown: Shown) => void;
}

/** Shows the messages, and the open one beside them. */
export function Inbox({ endpoints, openId, reveal }: Props) {
  const polling = usePolling({ ask: pageOf, keyOf: (one) => one.id, by: [] });
  const list = polling.list.value;
  const open = list && [...list.items, ...list.waiting].find((one) => one.id === openId);
  return (
    <div class="split" data-open={Boolean(openId)}>
      <div class="split-list panel">
        <PolledRows polling={polling} label="Inbox" nouns={["message", "messages"]} columns={COLUMNS} openKey={openId}
          onOpen={(one) => go(link(["webhooks", "inbox", one.id]))} empty={<Nothing endpoints={endpoints} reveal={reveal} />} />
      </div>
      {openId && list && <div class="split-detail">{open ? <MessageDetail key={openId} message={open} /> : <Gone more={list.more} show={polling.showMore} />}</div>}
    </div>
  );
}

async function pageOf(token: string, signal: AbortSignal) {
  const query = { page_size: 50, ...(token && { page_token: token }) };
  const reply = await result(api.GET("/sandbox/inbox", { params: { query }, signal }));
  return { items: reply.messages, next: reply.next_page_token };
}

function Nothing({ endpoints, reveal }: Omit<Props, "openId">) {
  const own = endpoints.find((endpoint) => isInbox(endpoint.url));
  const make = useAction(async (key) => {
    reveal(await result(api.POST("/webhook-endpoints", { body: { url: INBOX_URL, description: "The built-in inbox" }, ...under(key) })));
  });
  const test = useAction(async (key) => {
    if (own) await result(api.POST("/webhook-endpoints/{id}/test", { params: { path: { id: own.id } }, body: {}, ...under(key) }));
    say("A test event is on its way.");
  });
  const failure = make.failure.value ?? test.failure.value;
  const actions = own
    ? <><Button kind="main" icon="send" busy={test.busy.value} onClick={() => void test.run()}>Send a test</Button><Button icon="plus" onClick={() => go(link(["test"]))}>Make a test payment</Button></>
    : <Button kind="main" icon="inbox" busy={make.busy.value} onClick={() => void make.run()}>Create an inbox endpoint</Button>;
  return (
    <>
      <Empty icon="inbox" title={own ? "Nothing has arrived yet" : "See webhooks without a server of your own"} actions={actions}>
        {own
          ? "The next event of a payment arrives here by itself, signed, just as at a receiver of your own."
          : "The inbox is a receiver built into the sandbox. Create an endpoint that posts to it, and each event appears here as it was sent: headers, signature and body."}
      </Empty>
      {failure && <div class="panel-body"><Failed failure={failure} /></div>}
    </>
  );
}

function Gone({ more, show }: { more: string; show: () => Promise<void> }) {
  return (
    <div class="panel">
      <Empty icon="inbox" title="This message is not shown" actions={more ? <Button onClick={() => void show()}>Show more messages</Button> : <Button onClick={() => go(link(["webhooks", "inbox"]))}>Back to the inbox</Button>}>
        {more ? "It may be an older one." : "The inbox keeps the last 200 messages, until the sandbox is reset."}
      </Empty>
    </div>
  );
}
