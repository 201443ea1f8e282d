/** The amounts of a payment as one bar: captured + still capturable + released is what was authorized. */
import { partOf, sharesOf } from "../../model/bar.ts";
import { isNothing, withCurrency, type Amount } from "../../model/money.ts";
import type { Payment } from "../../model/possible.ts";
import { Money } from "../../ui/money.tsx";

const WIDTH = 1_000;
type Part = readonly [name: string, kind: string, amount: Amount];

/** Draws the bar, and says the same in words and figures. */
export function Amounts({ payment }: { payment: Payment }) {
  const shares = sharesOf(payment);
  const asked = payment.status === "STATUS_PENDING";
  const parts: Part[] = [
    ["Captured", "captured", shares.captured],
    [asked ? "Requested from the bank" : "Capture in progress", "under-way", shares.underWay],
    ["Left to capture", "capturable", shares.capturable],
    [GONE[payment.status] ?? "Released", "released", shares.released],
  ];
  const shown = parts.filter(([, , amount]) => !isNothing(amount));
  const said = [...shown.map(([name, , amount]) => `${name} ${withCurrency(amount)}`), `refunded ${withCurrency(shares.refunded)}`].join(", ");
  return (
    <figure aria-label="Amounts">
      <Bar parts={shown} whole={payment.authorized} refunded={shares.refunded} said={said} />
      <dl class="sums">
        {shown.map(([name, kind, amount]) => <Sum key={name} name={name} kind={kind} amount={amount} />)}
        {!isNothing(shares.refunded) && <Sum name="Refunded" kind="refunded" amount={shares.refunded} />}
        {!isNothing(payment.refundable) && !isNothing(shares.refunded) && <Sum name="Left to refund" amount={payment.refundable} />}
      </dl>
    </figure>
  );
}

const GONE: Partial<Record<Payment["status"], string>> = {
  STATUS_DECLINED: "Declined",
  STATUS_FAILED: "Failed",
  STATUS_VOIDED: "Voided",
  STATUS_EXPIRED: "Expired",
};

function Sum({ name, kind, amount }: { name: string; kind?: string; amount: Amount }) {
  return (
    <>
      <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">{kind && <rect width="10" height="10" rx="2" class={`bar-${kind}`} />}</svg>
      <dt>{name}</dt>
      <dd class="number"><Money amount={amount} /></dd>
    </>
  );
}

function Bar({ parts, whole, refunded, said }: { parts: readonly Part[]; whole: Amount; refunded: Amount; said: string }) {
  let x = 0;
  const segments = parts.map(([name, kind, amount]) => {
    const width = partOf(amount, whole) * WIDTH;
    const segment = <rect key={name} x={x} y="0" width={Math.max(0, width - 2)} height="16" class={`bar-${kind}`} />;
    x += width;
    return segment;
  });
  return (
    <svg class="bar" viewBox={`0 0 ${WIDTH} 28`} preserveAspectRatio="none" role="img" aria-label={said}>
      <defs>
        <pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="8" height="8" class="bar-ground" /><path d="M0 0v8" class="bar-stroke" />
        </pattern>
      </defs>
      <rect width={WIDTH} height="16" class="bar-ground" />
      {segments}
      {!isNothing(refunded) && <rect y="20" width={partOf(refunded, whole) * WIDTH} height="6" class="bar-refunded" />}
    </svg>
  );
}
