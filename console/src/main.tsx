/** Where the console begins. */
import { useSignal } from "@preact/signals";
import { render } from "preact";
import { begin, session, signIn, signOut } from "./api/session.ts";

function Welcome() {
  const key = useSignal("");
  const submit = (event: Event) => {
    event.preventDefault();
    void signIn(key.value);
  };
  return (
    <form onSubmit={submit}>
      <p role="alert">{session.value.word}</p>
      <label>
        API key
        <input type="password" value={key} onInput={({ currentTarget }) => void (key.value = currentTarget.value)} />
      </label>
      <button>Sign in</button>
    </form>
  );
}

function Console() {
  const { state } = session.value;
  return (
    <main>
      <h1>paygate console</h1>
      {state === "in" && <button onClick={() => signOut()}>Sign out</button>}
      {state === "out" && <Welcome />}
    </main>
  );
}

void begin();
render(<Console />, document.getElementById("console")!);
