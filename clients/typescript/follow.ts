import { connect, watch } from "./src/index.ts";

const paygate = connect(process.env["PAYGATE_URL"]!, process.env["PAYGATE_API_KEY"]!);
let kept = process.env["CURSOR"]; // without one you get what happens from now on
const stop = new AbortController();
for await (const { event, cursor } of watch(paygate, kept ? { cursor: kept } : {}, { signal: stop.signal })) {
  console.log(event.id, event.type);
  kept = cursor; // keep it when you have done what is to be done, to go on there after a restart
  if (event.data?.payment?.reference === "the last one") stop.abort();
}
