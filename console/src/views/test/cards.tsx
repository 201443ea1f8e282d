/** What can be tried: sequences of calls, and the cards in their groups. */
import { brandOf, groupsOf, showing, writtenPan, type TestCard, type Verb } from "../../model/cards.ts";
import { runs, start } from "../../model/runs.ts";
import { SEQUENCES, isSending, sequenceOf, type Sequence } from "../../model/sequences.ts";
import { link } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { Copy } from "../../ui/copy.tsx";
import { Panel } from "../../ui/page.tsx";
import { PaymentStatusOf } from "../../ui/status.tsx";
import { amount, problem, reference } from "./form.tsx";
import { show } from "./result.tsx";

/** Shows the sequences. */
export function Sequences() {
  return (
    <Panel title="Sequences" padded={false}>
      <ul>
        {SEQUENCES.map((sequence) => (
          <li key={sequence.title} class="trial">
            <div class="trial-what"><strong>{sequence.title}</strong><div class="muted small">{sequence.does}</div></div>
            <LastOf of="sequence" title={sequence.title} pan={sequence.pan} />
            <div class="trial-does"><Start sequence={sequence}>Run<span class="unseen"> {sequence.title}</span></Start></div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Shows the cards. */
export function Cards({ cards }: { cards: readonly TestCard[] }) {
  return (
    <>
      {groupsOf(cards).map(({ title, cards: some }) => (
        <section key={title} aria-label={title}>
          <h3 class="trial-group">{title}</h3>
          <ul>{some.map((card) => <CardOf key={card.pan} card={card} />)}</ul>
        </section>
      ))}
    </>
  );
}

const LATER: Record<Verb, string> = { authorize: "", capture: "Authorize and capture", refund: "Authorize and refund", void: "Authorize and void" };

function CardOf({ card }: { card: TestCard }) {
  const verbs = showing(card);
  const last = verbs.at(-1) ?? "authorize";
  const pan = writtenPan(card.pan);
  const brand = /^Approved\.$/.test(card.description) ? `${brandOf(card.pan)}: a` : "";
  return (
    <li class="trial">
      <div class="trial-what trial-line">
        <span class="row"><code class="nowrap">{pan}</code><Copy text={card.pan} label={`Copy the number ${pan}`} /></span>
        <span class="muted small">{brand ? card.description.replace(/^A/, brand) : card.description}</span>
      </div>
      <LastOf of="card" pan={card.pan} />
      <div class="trial-does">
        {LATER[last] && <Start sequence={sequenceOf(LATER[last], card.pan, verbs)}>{LATER[last]}<span class="unseen"> with {pan}</span></Start>}
        <Start sequence={sequenceOf("Authorize", card.pan, ["authorize"])}>Authorize<span class="unseen"> with {pan}</span></Start>
      </div>
    </li>
  );
}

function Start({ sequence, children }: { sequence: Sequence; children: preact.ComponentChildren }) {
  const whole = amount.value;
  const small = whole && BigInt(whole.minor_units) < sequence.least ? "One minor unit can't be split: enter a larger amount." : undefined;
  const busy = runs.value.some((run) => isSending(run, sequence));
  return <Button refused={problem.value ?? small} busy={busy} onClick={() => { if (whole) start(sequence, whole, reference.value); }}>{children}</Button>;
}

const NARROW = "(width < 1120px)";

/** Shows how the last payment of a card or of a sequence stands. */
function LastOf({ of, title, pan }: { of: Sequence["of"]; title?: string; pan: string }) {
  const run = runs.value.find((one) => one.of === of && one.pan === pan && (!title || one.title === title));
  if (!run?.payment) return <span class="trial-last" />;
  const { id, status } = run.payment;
  // Where the result is beside the cards it is shown there; on a phone it is far above them.
  const click = (event: Event) => {
    if (matchMedia(NARROW).matches) return;
    event.preventDefault();
    show(run.id);
  };
  return <a class="trial-last plain" href={link(["payments", id])} title="Show the payment" onClick={click}><PaymentStatusOf status={status} /></a>;
}
