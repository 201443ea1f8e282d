/** Where a key is typed in, if no link has brought one. */
import { useSignal } from "@preact/signals";
import { session, signIn } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import { Prose } from "../ui/feedback.tsx";
import { Input } from "../ui/field.tsx";
import { Mark } from "../ui/icons.tsx";

/** Asks for an API key, and tries it. */
export function Welcome() {
  const [key, busy] = [useSignal(""), useSignal(false)];
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!key.value.trim()) return;
    busy.value = true;
    await signIn(key.value);
    busy.value = false;
  };
  const { word } = session.value;
  return (
    <main class="welcome">
      <form class="panel" onSubmit={(event) => void submit(event)}>
        <div class="row"><span class="tone-accent"><Mark /></span><h1>paygate console</h1></div>
        {word && <p class="note" data-tone="warn" role="alert"><Prose text={word} /></p>}
        <p class="muted">Open the link that <code>make run</code> printed, or paste an API key. The key stays in this tab.</p>
        <Input label="API key" type="password" value={key.value} onInput={(typed) => { key.value = typed; }} placeholder="sk_…" mono />
        <Button kind="main" submit busy={busy.value} refused={key.value.trim() ? undefined : "Paste an API key first."}>Sign in</Button>
      </form>
    </main>
  );
}
