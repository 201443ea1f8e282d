/** Fields of forms: a label, a hint, and what is wrong with what was typed. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Told {
  label: string;
  hint?: ComponentChildren;
  problem?: string | undefined;
}

interface InputProps extends Told {
  value: string;
  onInput: (value: string) => void;
  type?: "text" | "password";
  /** Figures, at the right. */
  figures?: boolean;
  mono?: boolean;
  placeholder?: string;
  inputMode?: "decimal" | "numeric";
  maxLength?: number;
  autofocus?: boolean;
}

/** A line of text. */
export function Input({ label, hint, problem, onInput, figures, mono, type = "text", ...rest }: InputProps) {
  const id = useId();
  const kind = `input${figures ? " number" : ""}${mono ? " mono" : ""}`;
  return (
    <Around id={id} label={label} hint={hint} problem={problem}>
      <input id={id} type={type as "text"} class={kind} autocomplete="off" spellcheck={false} aria-invalid={Boolean(problem)}
        aria-describedby={`${id}-more`} onInput={(event) => onInput(event.currentTarget.value)} {...rest} />
    </Around>
  );
}

interface SelectProps extends Told {
  value: string;
  onInput: (value: string) => void;
  options: readonly (readonly [value: string, word: string])[];
}

/** One of a few. */
export function Select({ label, hint, problem, value, onInput, options }: SelectProps) {
  const id = useId();
  return (
    <Around id={id} label={label} hint={hint} problem={problem}>
      <Choice id={id} value={value} onInput={onInput} options={options} />
    </Around>
  );
}

type ChoiceProps = Omit<SelectProps, keyof Told> & { id?: string; label?: string };

/** The same without a label that is seen: for filters, whose first option says what it is about. */
export function Choice({ id, label, value, onInput, options }: ChoiceProps) {
  return (
    <select {...(id ? { id } : {})} class="select" aria-label={label} value={value}
      onInput={(event) => onInput(event.currentTarget.value)}>
      {options.map(([option, word]) => <option key={option} value={option}>{word}</option>)}
    </select>
  );
}

/** Yes or no. */
export function Check({ label, on, onInput, mono }: { label: string; on: boolean; onInput: (on: boolean) => void; mono?: boolean }) {
  return (
    <label class="check">
      <input type="checkbox" checked={on} onInput={(event) => onInput(event.currentTarget.checked)} />
      {mono ? <code>{label}</code> : label}
    </label>
  );
}

function Around({ id, label, hint, problem, children }: Told & { id: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      <div id={`${id}-more`} class={problem ? "field-error" : "field-hint"} role={problem ? "alert" : undefined}>
        {problem ?? hint}
      </div>
    </div>
  );
}
