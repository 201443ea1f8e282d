/** Emptying the sandbox: what goes is said before it goes. */
import { useSignal } from "@preact/signals";
import { api, result, under } from "../../api/client.ts";
import { look } from "../../model/clock.ts";
import { EMPTY } from "../../model/feed.ts";
import { forget } from "../../model/runs.ts";
import { feed } from "../../model/store.ts";
import { useAction } from "../../ui/action.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failed } from "../../ui/feedback.tsx";
import { Panel } from "../../ui/page.tsx";
import { say } from "../../ui/toasts.tsx";

/** Offers it. */
export function ResetPanel({ done }: { done: () => void }) {
  const asking = useSignal(false);
  return (
    <Panel title="Reset" actions={<Button kind="danger" onClick={() => { asking.value = true; }}>Reset…</Button>}>
      <p class="muted">Removes this merchant's payments, events and endpoints, and moves the clock back.</p>
      {asking.value && <Confirm onClose={() => { asking.value = false; }} done={done} />}
    </Panel>
  );
}

function Confirm({ onClose, done }: { onClose: () => void; done: () => void }) {
  const { busy, failure, run } = useAction(async (key) => {
    const { payments } = await result(api.POST("/sandbox/reset", { body: {}, ...under(key) }));
    forget();
    feed.value = EMPTY;
    await look();
    say(`Sandbox reset. ${payments} ${payments === "1" ? "payment" : "payments"} removed.`);
    done();
    onClose();
  });
  return (
    <Dialog title="Reset the sandbox?" onClose={onClose} onSubmit={() => void run()}
      foot={<><Button onClick={onClose} autofocus>Cancel</Button><Button kind="danger" submit busy={busy.value}>Reset sandbox</Button></>}>
      <p>This can't be undone. For this merchant it removes:</p>
      <ul class="bullets"><li>all payments, with their actions,</li><li>all events and their deliveries,</li><li>all webhook endpoints, with their secrets,</li><li>its inbox and its request log.</li></ul>
      <p>Its clock goes back to the real time. API keys stay. Other merchants notice nothing.</p>
      {failure.value && <Failed failure={failure.value} />}
    </Dialog>
  );
}
