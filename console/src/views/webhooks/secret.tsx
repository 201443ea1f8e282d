/** The secret of an endpoint: told once, and made anew. */
import { useSignal } from "@preact/signals";
import { api, result, under } from "../../api/client.ts";
import { isInbox, type Endpoint } from "../../model/hooks.ts";
import { link } from "../../route.ts";
import { useAction } from "../../ui/action.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failed } from "../../ui/feedback.tsx";
import { Select } from "../../ui/field.tsx";
import { Code } from "../../ui/json.tsx";

export interface Shown {
  endpoint: Endpoint;
  secret: string;
}

/** Tells a secret. */
export function Secret({ shown, onClose }: { shown: Shown; onClose: () => void }) {
  const { endpoint, secret } = shown;
  return (
    <Dialog title="Signing secret" firm onClose={onClose} foot={<Button kind="main" onClick={onClose}>I have copied it</Button>}>
      <p class="note" data-tone="warn">Copy the secret now; it won't be shown again. If you lose it, rotate it.</p>
      <Code text={secret} label="Copy the secret" />
      <p>Every event to <code class="anywhere">{endpoint.url}</code> is signed with it, following <a href="https://www.standardwebhooks.com" rel="noreferrer">Standard Webhooks</a>.</p>
      {isInbox(endpoint.url) && <p>The <a href={link(["webhooks", "inbox"])} onClick={onClose}>inbox</a> needs no secret to show events: you may continue without it.</p>}
    </Dialog>
  );
}

const OVERLAPS = [["0", "None: the old one ends now"], ["3600", "An hour"], ["86400", "A day"], ["604800", "7 days"]] as const;

/** Asks how long the old one goes on, and makes a new one. */
export function Rotate({ endpoint, onClose, reveal }: { endpoint: Endpoint; onClose: () => void; reveal: (shown: Shown) => void }) {
  const overlap = useSignal("86400");
  const action = useAction(async (key) => {
    const call = { params: { path: { id: endpoint.id } }, body: { overlap_seconds: Number(overlap.value) }, ...under(key) };
    const shown = await result(api.POST("/webhook-endpoints/{id}/rotate-secret", call));
    onClose();
    reveal(shown);
  });
  return (
    <Dialog title="Rotate the secret" onClose={onClose} onSubmit={() => void action.run()}
      foot={<><Button onClick={onClose}>Cancel</Button><Button kind="main" submit busy={action.busy.value}>Create new secret</Button></>}>
      <p>Deliveries are signed with the new secret. Until the overlap ends the old one signs as well, so that a receiver can change over.</p>
      <Select label="Overlap" value={overlap.value} onInput={(value) => { overlap.value = value; }} options={OVERLAPS} />
      {action.failure.value && <Failed failure={action.failure.value} />}
    </Dialog>
  );
}
