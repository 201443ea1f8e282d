/** Prints what the live stream tells, until it is ended: `PAYGATE_URL=… PAYGATE_API_KEY=… node watch.ts`. */
import { Live } from "../src/api/live.ts";
import { signedIn } from "./gateway.ts";

const { PAYGATE_URL = "", PAYGATE_API_KEY = "" } = process.env;

signedIn(PAYGATE_API_KEY);
const live = new Live(
  {
    onBegin: () => console.log("begins"),
    onEvent: ({ type, data }) => console.log(`${type} ${data?.payment?.id}`),
  },
  PAYGATE_URL,
);
live.state.subscribe((state) => console.log(`is ${state}`));
live.start();
