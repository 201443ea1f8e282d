/** Test payments: every card and every sequence with one click, and what became of it beside. */
import { useEffect } from "preact/hooks";
import { api, result } from "../../api/client.ts";
import { useLive } from "../../model/live.ts";
import { look, runs, toldOf } from "../../model/runs.ts";
import { Failed, Skeleton } from "../../ui/feedback.tsx";
import { useEvery, useLoad } from "../../ui/load.ts";
import { PageOf, Panel } from "../../ui/page.tsx";
import { Cards, Sequences } from "./cards.tsx";
import { Amount } from "./form.tsx";
import { Last, Result } from "./result.tsx";

/** No event tells of a reset. */
const LOOK_MILLISECONDS = 10_000;

/** Shows what can be tried, and what was. */
export function TestPayments() {
  const cards = useLoad((signal) => result(api.GET("/sandbox/test-cards", { signal })), []);
  useLive((event) => { if (event.data?.payment) toldOf(event.data.payment); }, () => void look());
  useEffect(() => void look(), []);
  useEvery(LOOK_MILLISECONDS, () => void look());
  return (
    <PageOf title="Test payments" sub="One click sends real calls; the card's number decides what the bank does.">
      <div class="trials" data-tried={runs.value.length > 0}>
        <div class="trials-form"><Amount /></div>
        <div id="result" class="trials-results stack">
          <Result />
          <Last />
        </div>
        <div class="trials-choice stack">
          <Sequences />
          <Panel title="Test cards" padded={false}>
            {cards.failure.value && <div class="panel-body"><Failed failure={cards.failure.value} again={() => void cards.again()} /></div>}
            {!cards.data.value && !cards.failure.value && <Skeleton />}
            {cards.data.value && <Cards cards={cards.data.value.cards} />}
          </Panel>
        </div>
      </div>
    </PageOf>
  );
}
