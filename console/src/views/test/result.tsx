/** What became of a run: the payment as it is now, and each step as it goes on. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { brandOf, type Verb } from "../../model/cards.ts";
import { withCurrency } from "../../model/money.ts";
import { carryOnFrom, chosen, runs } from "../../model/runs.ts";
import { asCode, type Run, type State, type Step } from "../../model/sequences.ts";
import { LANGUAGES, snippet, type Language } from "../../model/snippets.ts";
import { ACTION, type Shown } from "../../model/statuses.ts";
import { span } from "../../model/time.ts";
import { link } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { Id } from "../../ui/copy.tsx";
import { Empty, Failed } from "../../ui/feedback.tsx";
import { Code, Json } from "../../ui/json.tsx";
import { Money } from "../../ui/money.tsx";
import { Panel } from "../../ui/page.tsx";
import { PaymentStatusOf, ShapeOf, Status } from "../../ui/status.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Time, gatewayNow } from "../../ui/time.tsx";
import { KeyNote } from "../requests/call.tsx";
import { Amounts } from "../payments/amounts.tsx";

/** The shown run: the one that was chosen, else the newest. */
const shownRun = (): Run | undefined => runs.value.find((one) => one.id === chosen.value) ?? runs.value[0];

/** Shows that one; on a phone it is above what led to it. */
export function show(id: string): void {
  chosen.value = id;
  document.getElementById("result")?.scrollIntoView({ block: "nearest" });
}

const WAITS: Shown = { word: "Waiting", tone: "quiet", shape: "clock" };
const LEFT_OUT: Shown = { word: "Not done", tone: "quiet", shape: "slash" };
const RUNS: Shown = { word: "In progress", tone: "accent", shape: "ring" };
const FAILED: Shown = { word: "Stopped", tone: "bad", shape: "alert" };
const WORDS: Record<Verb, string> = { authorize: "Authorize", capture: "Capture", refund: "Refund", void: "Void" };

/** Shows one run. */
export function Result() {
  const run = shownRun();
  return (
    <Panel title="Result" actions={run && <span class="muted small">{run.title}</span>} padded={false}>
      {run ? <RunOf key={run.id} run={run} /> : (
        <Empty icon="test" title="Nothing tried yet">Press Authorize beside a card, or run a sequence. The result appears here as it happens.</Empty>
      )}
    </Panel>
  );
}

function RunOf({ run }: { run: Run }) {
  const { payment } = run;
  return (
    <div class="panel-body stack" aria-live="polite">
      <div>
        <div class="row-wide between">
          <span class="detail-amount">{withCurrency(run.amount)}</span>
          {payment ? <PaymentStatusOf status={payment.status} /> : <Status shown={run.steps[0]?.state === "stopped" ? FAILED : RUNS} />}
        </div>
        <div class="row-wide between">
          {payment ? <Id id={payment.id} to={link(["payments", payment.id])} /> : <span class="muted">no payment id yet</span>}
          <span class="muted small anywhere">{brandOf(run.pan)} •••• {run.pan.slice(-4)}{run.reference && ` · ${run.reference}`}</span>
        </div>
      </div>
      {payment && <Amounts payment={payment} />}
      <ol class="timeline">{run.steps.map((step, index) => <StepOf key={step.key} run={run} step={step} index={index} />)}</ol>
    </div>
  );
}

function StepOf({ run, step, index }: { run: Run; step: Step; index: number }) {
  const open = useSignal(false);
  const isOver = run.steps.some((one) => one.state === "stopped");
  const shown = step.action ? ACTION[step.action.status] : step.state === "waits" && isOver ? LEFT_OUT : OPEN[step.state];
  const { decline } = step.action ?? {};
  return (
    <li class="moment">
      <span class={`moment-mark tone-${shown.tone}`}><ShapeOf shape={shown.shape} /></span>
      <div class="moment-what">
        <div class="moment-title">{WORDS[step.verb]} {withCurrency(step.amount)} <Status shown={shown} /></div>
        {decline && <div class="moment-more"><code>{decline.code.replace("CODE_", "")}</code>: {decline.message}</div>}
        <div class="moment-more">{step.state === "waits" && isOver ? "The step before did not succeed." : moreOf(step)}</div>
      </div>
      {step.state === "waits" ? <span /> : <Button kind="plain" small onClick={() => { open.value = !open.value; }}>{open.value ? "Less" : "Call"}<span class="unseen"> of {WORDS[step.verb]}</span></Button>}
      {(step.failure || open.value) && (
        <div class="moment-below stack-tight">
          {step.failure && <Failed failure={step.failure} again={() => carryOnFrom(run.id, index)} />}
          {open.value && <CallOfStep run={run} step={step} />}
        </div>
      )}
    </li>
  );
}

const OPEN: Record<State, Shown> = { waits: WAITS, runs: RUNS, pending: RUNS, done: RUNS, stopped: FAILED };

function moreOf({ state, action, milliseconds }: Step): ComponentChildren {
  if (state === "pending") return "No answer from the bank yet; the gateway is checking.";
  if (state === "waits") return "Runs when the step before has succeeded.";
  if (!action || milliseconds === undefined) return undefined;
  const settled = Date.parse(action.update_time) - Date.parse(action.create_time);
  const parts = [`answered in ${span(milliseconds)}`, settled > milliseconds + 200 && `settled after ${span(settled)}`, action.approval_code && `approval code ${action.approval_code}`];
  return parts.filter(Boolean).join(" · ");
}

type Tab = Language | "Result";
const TABS: readonly Tab[] = [...LANGUAGES, "Result"];

function CallOfStep({ run, step }: { run: Run; step: Step }) {
  const tab = useSignal<Tab>("curl");
  return (
    <Tabs label="The call as code" tabs={TABS} open={tab.value} onOpen={(one) => { tab.value = one; }}>
      {tab.value === "Result" ? <Json value={step.action ?? {}} /> : (
        <div class="stack-tight"><KeyNote /><Code text={snippet(tab.value, asCode(run, step, gatewayNow()), location.origin)} label={`Copy as ${tab.value}`} /></div>
      )}
    </Tabs>
  );
}

/** Lists the last runs; each leads to its payment, and can be shown whole again. */
export function Last() {
  if (runs.value.length < 2) return null;
  const shown = shownRun();
  return (
    <Panel title="Last results" padded={false}>
      <ul>
        {runs.value.map((run) => (
          <li key={run.id} class="last" data-shown={run === shown}>
            <button type="button" class="plain last-what" aria-pressed={run === shown} onClick={() => show(run.id)}>
              <Money amount={run.amount} /><span class="unseen"> {run.title}: show the result</span>
            </button>
            {run.payment ? <PaymentStatusOf status={run.payment.status} /> : <span />}
            <span class="muted small">{run.title} · •••• {run.pan.slice(-4)} · <Time at={run.begun.toISOString()} /></span>
            {run.payment ? <a class="small number" href={link(["payments", run.payment.id])} aria-label={`Open the payment ${run.payment.id}`}>Open</a> : <span />}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
