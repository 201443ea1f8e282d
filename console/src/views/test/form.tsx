/** The amount, the currency and the reference that all test payments have. */
import { computed, signal } from "@preact/signals";
import { read, type Amount as Money } from "../../model/money.ts";
import { Input, Select } from "../../ui/field.tsx";

const COMMON = ["GBP", "EUR", "USD", "JPY", "KWD"] as const;
const OTHER = "other";

// They stay when one looks at another view.
const typed = signal("10.00");
const common = signal<string>("GBP");
const other = signal("CHF");
export const reference = signal("");

const currency = computed(() => (common.value === OTHER ? other.value.trim().toUpperCase() : common.value));
const said = computed((): { amount: Money } | { problem: string; of: "amount" | "currency" } => {
  if (!/^[A-Z]{3}$/.test(currency.value)) return { problem: "A currency code has three letters, for example CHF.", of: "currency" };
  const found = read(typed.value, currency.value);
  return "problem" in found ? { ...found, of: "amount" } : found;
});

/** What was typed, as an amount; undefined if it is none. */
export const amount = computed(() => ("amount" in said.value ? said.value.amount : undefined));
/** Why it is none. */
export const problem = computed(() => ("problem" in said.value ? said.value.problem : undefined));

const problemOf = (field: "amount" | "currency"): string | undefined =>
  "problem" in said.value && said.value.of === field ? said.value.problem : undefined;

/** Asks for them. */
export function Amount() {
  return (
    <section class="panel" aria-label="Amount and reference">
      <div class="panel-body trial-fields" data-other={common.value === OTHER}>
        <Input label="Amount" figures inputMode="decimal" value={typed.value} problem={problemOf("amount")} onInput={(value) => { typed.value = value; }} />
        <Select label="Currency" value={common.value} onInput={(value) => { common.value = value; }}
          options={[...COMMON.map((code) => [code, code] as const), [OTHER, "Other…"]]} />
        {common.value === OTHER && (
          <Input label="Currency code" value={other.value} problem={problemOf("currency")} maxLength={3} onInput={(value) => { other.value = value; }} />
        )}
        <Input label="Reference" value={reference.value} placeholder="order-1001" maxLength={255} onInput={(value) => { reference.value = value; }} />
      </div>
    </section>
  );
}
