/** The console: which view is shown. */
import { render } from "preact";
import { begin, session } from "./api/session.ts";
import { live } from "./model/live.ts";
import { route } from "./route.ts";
import { Shell } from "./shell.tsx";
import { startTheme } from "./ui/theme.ts";
import { Payments } from "./views/payments/payments.tsx";
import { Welcome } from "./views/welcome.tsx";

function View() {
  switch (route.value.path[0]) {
    default: return <Payments />;
  }
}

function Console() {
  const { state } = session.value;
  if (state === "opening") return null;
  return state === "in" ? <Shell><View /></Shell> : <Welcome />;
}

startTheme();
const opened = begin();
render(<Console />, document.getElementById("console") ?? document.body);
await opened;
live.start();
