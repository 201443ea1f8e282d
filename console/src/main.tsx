/** The console: which view is shown. */
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { begin, session } from "./api/session.ts";
import { follow } from "./model/clock.ts";
import { live } from "./model/live.ts";
import { route } from "./route.ts";
import { Shell } from "./shell.tsx";
import { startTheme } from "./ui/theme.ts";
import { Clock } from "./views/clock/clock.tsx";
import { Health } from "./views/health.tsx";
import { Nowhere } from "./views/nowhere.tsx";
import { Payments } from "./views/payments/payments.tsx";
import { TestPayments } from "./views/test/test.tsx";
import { Requests } from "./views/requests/requests.tsx";
import { Webhooks } from "./views/webhooks/webhooks.tsx";
import { Welcome } from "./views/welcome.tsx";

function View() {
  switch (route.value.path[0]) {
    case "test": return <TestPayments />;
    case "clock": return <Clock />;
    case "health": return <Health />;
    case "webhooks": return <Webhooks />;
    case "requests": return <Requests />;
    case "payments": case undefined: return <Payments />;
    default: return <Nowhere />;
  }
}

function Console() {
  const { state } = session.value;
  const before = useRef(state);
  useEffect(() => {
    // The field of the key is gone: a reader goes on at the view.
    if (before.current === "out" && state === "in") document.querySelector("h1")?.focus();
    before.current = state;
  }, [state]);
  if (state === "opening") return null;
  return state === "in" ? <Shell><View /></Shell> : <Welcome />;
}

startTheme();
const opened = begin();
render(<Console />, document.getElementById("console") ?? document.body);
await opened;
follow();
live.start();
