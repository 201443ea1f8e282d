/** The sandbox's clock: what it says, turning it, and waiting until what is due by then is done. */
import { useSignal, type Signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { api, newKey, result, type Schemas } from "../../api/client.ts";
import type { Failure } from "../../api/failure.ts";
import { caught } from "../../model/caught.ts";
import { advance } from "../../model/clock.ts";
import { UNITS, far, leftOf, secondsOf, type Unit } from "../../model/due.ts";
import { clock, day } from "../../model/time.ts";
import { Button } from "../../ui/button.tsx";
import { Failed } from "../../ui/feedback.tsx";
import { Check, Input, Select } from "../../ui/field.tsx";
import { PageOf, Panel } from "../../ui/page.tsx";
import { Status } from "../../ui/status.tsx";
import { ahead, gatewayNow } from "../../ui/time.tsx";
import { say } from "../../ui/toasts.tsx";
import { DueNext } from "./due.tsx";
import { ResetPanel } from "./reset.tsx";

const DRAIN_TIMEOUT = "5s";
const PRESETS: readonly (readonly [string, number])[] = [["1 hour", 3_600], ["1 day", 86_400], ["7 days and 1 s: past expiry", 604_801]];

interface Doing {
  busy: Signal<boolean>;
  failure: Signal<Failure | undefined>;
  drained: Signal<Schemas["DrainResponse"] | undefined>;
  /** Rises with each turn. */
  turned: Signal<number>;
}

/** Shows the clock. */
export function Clock() {
  const doing: Doing = { busy: useSignal(false), failure: useSignal(undefined), drained: useSignal(undefined), turned: useSignal(0) };
  const then = useSignal(true);
  const tries = useRef(new Map<number, string>()); // keys of turns that may have been done, though no reply came
  const turn = (seconds: number) => attempt(doing, async () => {
    const key = tries.current.get(seconds) ?? newKey();
    tries.current.set(seconds, key);
    await advance(seconds, key);
    tries.current.delete(seconds);
    say(`Clock moved forward ${far(seconds * 1_000)}.`);
    if (then.value) await drain(doing);
  });
  return (
    <PageOf title="Clock" sub="Payments expire and webhooks retry by this clock. Each merchant has its own.">
      <div class="clock">
        <div class="stack">
          <Now />
          <Turn turn={turn} busy={doing.busy.value} then={then} />
          <DrainPanel doing={doing} />
        </div>
        <div class="stack">
          <DueNext turn={turn} busy={doing.busy.value} turned={doing.turned.value} />
          <ResetPanel done={() => { doing.drained.value = undefined; doing.turned.value++; }} />
        </div>
      </div>
    </PageOf>
  );
}

function Now() {
  const now = gatewayNow();
  return (
    <section class="panel" aria-label="The sandbox's time">
      <div class="panel-body">
        <time class="clock-time" dateTime={now.toISOString()}>{clock(now)}</time>
        <div>{day(now)}</div>
        <div class="muted">{ahead.value >= 1_000 ? `${far(ahead.value)} ahead of the real time` : "The real time"}</div>
      </div>
    </section>
  );
}

/** What stands in the field before anything is typed. */
const TYPED = "36";
type Turning = (seconds: number) => Promise<void>;

function Turn({ turn, busy, then }: { turn: Turning; busy: boolean; then: Signal<boolean> }) {
  const [typed, unit] = [useSignal(TYPED), useSignal<Unit>("hours")];
  const wanted = secondsOf(typed.value, unit.value);
  const preset = (seconds: number) => {
    if ("problem" in wanted) typed.value = TYPED; // it is no longer about what was done
    void turn(seconds);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if ("seconds" in wanted) void turn(wanted.seconds);
  };
  return (
    <Panel title="Move forward">
      <div class="stack">
        <div class="row-wrap">{PRESETS.map(([word, seconds]) => <Button key={word} busy={busy} onClick={() => preset(seconds)}>{word}</Button>)}</div>
        <form class="clock-custom" onSubmit={submit}>
          <Input label="By" figures inputMode="decimal" value={typed.value} onInput={(value) => { typed.value = value; }} problem={"problem" in wanted ? wanted.problem : undefined} />
          <Select label="Unit" value={unit.value} onInput={(value) => { unit.value = value as Unit; }} options={UNITS.map(([name, word]) => [name, word] as const)} />
          <Button kind="main" submit busy={busy} refused={"problem" in wanted ? wanted.problem : undefined}>Move</Button>
        </form>
        <Check label="Then wait until everything due is done (drain)" on={then.value} onInput={(on) => { then.value = on; }} />
        <p class="muted small">Moves for this merchant alone: up to 400 days at a time, 100 years in total. Only a reset moves it back.</p>
      </div>
    </Panel>
  );
}

function DrainPanel({ doing }: { doing: Doing }) {
  const { drained, failure, busy } = doing;
  return (
    <Panel title="Drain" actions={<Button busy={busy.value} onClick={() => void attempt(doing, () => drain(doing))}>Drain</Button>}>
      <div class="stack-tight" aria-live="polite">
        {failure.value && <Failed failure={failure.value} />}
        {!failure.value && <Drained reply={drained.value} busy={busy.value} />}
      </div>
    </Panel>
  );
}

function Drained({ reply, busy }: { reply: Schemas["DrainResponse"] | undefined; busy: boolean }) {
  if (busy) return <Status shown={{ word: "In progress", tone: "accent", shape: "ring" }} />;
  if (!reply) return <p class="muted">Waits until the bank has answered, overdue payments have expired, and events are delivered. Tests call this instead of sleeping.</p>;
  if (reply.drained) return <div class="row-wide"><Status shown={{ word: "Drained", tone: "good", shape: "check" }} /><span>Nothing is overdue.</span></div>;
  return (
    <>
      <div class="row-wide"><Status shown={{ word: "Not finished", tone: "warn", shape: "half" }} /><span>Left after {DRAIN_TIMEOUT.replace("s", " s")}:</span></div>
      <ul class="bullets">{leftOf(reply).map((one) => <li key={one}>{one}</li>)}</ul>
    </>
  );
}

async function drain({ drained, turned }: Doing): Promise<void> {
  turned.value++;
  drained.value = await result(api.POST("/sandbox/drain", { body: { timeout: DRAIN_TIMEOUT } }));
}

async function attempt({ busy, failure, turned }: Doing, what: () => Promise<void>): Promise<void> {
  if (busy.value) return;
  [busy.value, failure.value] = [true, undefined];
  try {
    await what();
  } catch (problem) {
    failure.value = caught(problem);
  }
  busy.value = false;
  turned.value++;
}
