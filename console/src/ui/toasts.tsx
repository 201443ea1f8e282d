/** Short words about what was just done; readers hear them. */
import { signal } from "@preact/signals";
import { IconButton } from "./button.tsx";
import { ShapeOf } from "./status.tsx";

interface Toast {
  number: number;
  text: string;
  good: boolean;
}

const SHOWN_MILLISECONDS = 5_000;
const AT_ONCE = 3;
const toasts = signal<Toast[]>([]);
let last = 0;

/** Says something for a few seconds. */
export function say(text: string, { good = true } = {}): void {
  const number = ++last;
  toasts.value = [...toasts.value, { number, text, good }].slice(-AT_ONCE);
  setTimeout(() => dismiss(number), SHOWN_MILLISECONDS);
}

const dismiss = (number: number): void => { toasts.value = toasts.value.filter((one) => one.number !== number); };

/** Shows what is said at the moment. */
export function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.map(({ number, text, good }) => (
        <div key={number} class="toast">
          <span class={good ? "tone-good" : "tone-bad"}><ShapeOf shape={good ? "check" : "alert"} /></span>
          <span class="grow">{text}</span>
          <IconButton icon="close" label="Dismiss" onClick={() => dismiss(number)} />
        </div>
      ))}
    </div>
  );
}
