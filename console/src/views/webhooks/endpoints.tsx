/** The table of endpoints. */
import { shortUrl, typesShown, type Endpoint } from "../../model/hooks.ts";
import { go, link } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { Empty, Failed, Skeleton } from "../../ui/feedback.tsx";
import type { Loaded } from "../../ui/load.ts";
import { Rows, type Column } from "../../ui/rows.tsx";
import { EndpointStatusOf } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";

const COLUMNS: readonly Column<Endpoint>[] = [
  { head: "URL", cell: (endpoint) => <a href={link(["webhooks", endpoint.id])} title={endpoint.url} class="mono">{shortUrl(endpoint.url)}</a> },
  { head: "Status", width: "short", cell: (endpoint) => <EndpointStatusOf status={endpoint.status} /> },
  { head: "Events", width: "short", cell: ({ event_types }) => <span title={event_types.join("\n")}>{typesShown(event_types)}</span> },
  { head: "Description", width: "words", cell: ({ description }) => description ? <span title={description}>{description}</span> : <span class="muted">–</span>, room: "widest" },
  { head: "Created", width: "time", cell: (endpoint) => <Time at={endpoint.create_time} />, figures: true, room: "wide" },
];

interface Props {
  loaded: Loaded<Endpoint[]>;
  openId: string | undefined;
  make: () => void;
}

/** Shows all of them. */
export function Endpoints({ loaded, openId, make }: Props) {
  const { data, failure, again } = loaded;
  const endpoints = data.value;
  return (
    <div class="panel">
      {failure.value && <div class="panel-body"><Failed failure={failure.value} again={() => void again()} /></div>}
      {!endpoints && !failure.value && <Skeleton />}
      {endpoints?.length === 0 && <Nothing make={make} />}
      {endpoints && endpoints.length > 0 && <Rows label="Webhook endpoints" items={endpoints} columns={COLUMNS} keyOf={(one) => one.id} openKey={openId}
        onOpen={(one) => go(link(["webhooks", one.id]))} />}
    </div>
  );
}

function Nothing({ make }: { make: () => void }) {
  return (
    <Empty icon="webhooks" title="No endpoints yet" actions={<Button kind="main" icon="plus" onClick={make}>New endpoint</Button>}>
      An endpoint is where paygate posts events: the outcome of each authorization, capture, void and refund. No server of your own? Use the
      built-in inbox.
    </Empty>
  );
}
