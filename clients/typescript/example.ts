import { connect, result, type components } from "./src/index.ts";

const paygate = connect(process.env["PAYGATE_URL"]!, process.env["PAYGATE_API_KEY"]!);
const gbp = (pence: number): components["schemas"]["AmountInput"] => ({ minor_units: `${pence}`, currency: "GBP" });

const card_details = { pan: "4242 4242 4242 4242", expiry: { month: 12, year: 2035 }, cvv: "123" };
const { payment } = await result(paygate.POST("/authorize", { body: { card_details, amount: gbp(1000) } }));
const about = { authorization_id: payment.id };
await result(paygate.POST("/capture", { body: { ...about, amount: gbp(400) } }));
await result(paygate.POST("/capture", { body: { ...about, amount: gbp(600) } }));
const { payment: now } = await result(paygate.POST("/refund", { body: { ...about, amount: gbp(300) } }));
console.log(now.status, now.captured.minor_units, now.refundable.minor_units);
