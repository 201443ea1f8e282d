/** What the clock brings next, and turning it just past that. */
import { useEffect } from "preact/hooks";
import { api, result } from "../../api/client.ts";
import { KINDS, secondsPast, whyNotTo, type Due } from "../../model/due.ts";
import { useLive } from "../../model/live.ts";
import { link } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { Id } from "../../ui/copy.tsx";
import { Empty, Failed, Skeleton } from "../../ui/feedback.tsx";
import { useEvery, useLoad } from "../../ui/load.ts";
import { Panel } from "../../ui/page.tsx";
import { Time, gatewayNow } from "../../ui/time.tsx";

const LOOK_MILLISECONDS = 4_000;

interface Props {
  turn: (seconds: number) => Promise<void>;
  busy: boolean;
  turned: number;
}

/** Lists it, the first first. */
export function DueNext({ turn, busy, turned }: Props) {
  const due = useLoad((signal) => result(api.GET("/sandbox/due", { signal })), []);
  useEvery(LOOK_MILLISECONDS, due.again);
  useLive(() => void due.again(), () => void due.again());
  useEffect(() => { if (turned) void due.again(); }, [turned]);
  const [items, failure] = [due.data.value?.due, due.failure.value];
  return (
    <Panel title="Due next" padded={false}>
      {failure && <div class="panel-body"><Failed failure={failure} again={() => void due.again()} /></div>}
      {!items && !failure && <Skeleton rows={3} />}
      {items?.length === 0 && <Empty icon="clock" title="Nothing is due" actions={<a class="button" href={link(["test"])}>Make a test payment</a>}>An authorization that is not captured expires after 7 days, and a webhook that fails is retried.</Empty>}
      <ul>{items?.map((one) => <DueOf key={`${one.kind}${one.due_time}${one.payment_id}${one.event_id}${one.endpoint_id}`} due={one} turn={turn} busy={busy} />)}</ul>
    </Panel>
  );
}

function DueOf({ due, turn, busy }: { due: Due; turn: Props["turn"]; busy: boolean }) {
  return (
    <li class="due">
      <div class="due-what">
        <span class="row-wrap"><strong>{KINDS[due.kind]}</strong> <Time at={due.due_time} relative /></span>
        {due.kind === "KIND_DELIVERY_RETRIED"
          ? <Id id={due.event_id} to={link(["webhooks", due.endpoint_id, due.event_id])} />
          : <Id id={due.payment_id} to={link(["payments", due.payment_id])} />}
      </div>
      <span class="muted small"><Time at={due.due_time} /></span>
      <Button busy={busy} refused={whyNotTo(due, gatewayNow())} onClick={() => void turn(secondsPast(new Date(due.due_time), gatewayNow()))}>Go to this time<span class="unseen">: {KINDS[due.kind]} {due.payment_id || due.event_id}</span></Button>
    </li>
  );
}
