/** Makes an endpoint, or changes one. */
import { useSignal } from "@preact/signals";
import { api, result, under } from "../../api/client.ts";
import { INBOX_URL, eventTypesByAbout, isInbox, type Endpoint, type EventType } from "../../model/hooks.ts";
import { useAction } from "../../ui/action.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Failed } from "../../ui/feedback.tsx";
import { Check, Input } from "../../ui/field.tsx";
import { Icon } from "../../ui/icons.tsx";
import { say } from "../../ui/toasts.tsx";
import type { Shown } from "./secret.tsx";

interface Props {
  /** The one to change; without it one is made. */
  endpoint?: Endpoint;
  onClose: () => void;
  /** Called when it is done, with the secret of a new one. */
  done: (shown?: Shown) => void;
}

interface Wanted {
  url: string;
  description: string;
  event_types: EventType[];
}

/** Asks where to, and what. */
export function Edit({ endpoint, onClose, done }: Props) {
  const [url, description] = [useSignal(endpoint?.url ?? ""), useSignal(endpoint?.description ?? "")];
  const types = useSignal<ReadonlySet<string>>(new Set(endpoint?.event_types));
  const all = useSignal(!endpoint?.event_types.length);
  const action = useAction(async (key) => {
    const wanted = { url: url.value.trim(), description: description.value, event_types: all.value ? [] : ([...types.value] as EventType[]) };
    const shown = endpoint ? await change(endpoint.id, wanted) : await make(wanted, key);
    onClose();
    done(shown);
  });
  const failure = action.failure.value;
  const problem = (field: string) => failure?.fields.find((one) => one.field === field)?.description;
  const refused = !url.value.trim() ? "Enter a URL first." : !all.value && !types.value.size ? "Select at least one event." : undefined;
  const word = endpoint ? "Save" : "Create endpoint";
  return (
    <Dialog title={endpoint ? "Edit the endpoint" : "New endpoint"} wide onClose={onClose} onSubmit={() => { if (!refused) void action.run(); }}
      foot={<><Button onClick={onClose}>Cancel</Button><Button kind="main" submit busy={action.busy.value} refused={refused}>{word}</Button></>}>
      <button type="button" class="choice" aria-pressed={isInbox(url.value)} onClick={() => { url.value = INBOX_URL; }}>
        <Icon name="inbox" size={20} />
        <span class="grow"><strong>Use the built-in inbox</strong><span class="muted small">Events arrive in this console: no server and no tunnel needed.</span></span>
        {isInbox(url.value) && <span class="tone-accent"><Icon name="check" /></span>}
      </button>
      <Input label="URL" value={url.value} onInput={(typed) => { url.value = typed; }} problem={problem("url")} mono maxLength={2048} autofocus
        placeholder="https://example.com/webhooks" hint={hintFor(url.value)} />
      <Types all={all.value} onAll={(on) => { all.value = on; }} chosen={types.value} onChosen={(chosen) => { types.value = chosen; }} />
      <Input label="Description" value={description.value} onInput={(typed) => { description.value = typed; }} problem={problem("description")}
        hint="Optional, for your own use." maxLength={255} />
      {failure && <Failed failure={failure} />}
    </Dialog>
  );
}

const hintFor = (url: string) => isInbox(url)
  ? <>The inbox answers 200. To see what a failure does, name another status: <code>{INBOX_URL}503</code></>
  : <>HTTPS; or plain HTTP to the machine that paygate runs on: <code>http://127.0.0.1:3000/webhooks</code></>;

interface TypesProps {
  all: boolean;
  onAll: (all: boolean) => void;
  chosen: ReadonlySet<string>;
  onChosen: (chosen: ReadonlySet<string>) => void;
}

function Types({ all, onAll, chosen, onChosen }: TypesProps) {
  const turn = (type: string, on: boolean) => onChosen(new Set(on ? [...chosen, type] : [...chosen].filter((one) => one !== type)));
  return (
    <fieldset class="stack-tight">
      <legend class="field-label">Events</legend>
      <label class="check"><input type="radio" name="events" checked={all} onInput={() => onAll(true)} /> All events, including future ones</label>
      <label class="check"><input type="radio" name="events" checked={!all} onInput={() => onAll(false)} /> Selected events</label>
      {!all && (
        <div class="checks">
          {eventTypesByAbout().map(([about, types]) => (
            <div key={about} role="group" aria-label={about}>
              <h3>{about}</h3>
              {types.map((type) => <Check key={type} label={type} mono on={chosen.has(type)} onInput={(on) => turn(type, on)} />)}
            </div>
          ))}
        </div>
      )}
    </fieldset>
  );
}

async function make(wanted: Wanted, key: string): Promise<Shown> {
  const { endpoint, secret } = await result(api.POST("/webhook-endpoints", { body: wanted, ...under(key) }));
  return { endpoint, secret };
}

async function change(id: string, wanted: Wanted): Promise<undefined> {
  await result(api.PATCH("/webhook-endpoints/{id}", { params: { path: { id } }, body: wanted }));
  say("The endpoint was changed.");
}
