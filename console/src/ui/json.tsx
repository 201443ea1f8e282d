/** Text for programs: JSON with its parts told apart, code as it is. */
import type { ComponentChildren } from "preact";
import { Copy } from "./copy.tsx";

const PARTS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null|-?\d[\d.eE+-]*)\b/g;

/** Shows a value as JSON. */
export function Json({ value, label = "Copy the JSON" }: { value: unknown; label?: string }) {
  const text = JSON.stringify(value, null, 2) ?? "";
  return <Code text={text} label={label}>{coloured(text)}</Code>;
}

/** Shows a text in letters of one width, and copies it. */
export function Code({ text, label, children }: { text: string; label: string; children?: ComponentChildren }) {
  return (
    <div class="code">
      <pre tabIndex={0}>{children ?? text}</pre>
      <Copy text={text} label={label} />
    </div>
  );
}

function coloured(text: string): ComponentChildren[] {
  const shown: ComponentChildren[] = [];
  let end = 0;
  for (const found of text.matchAll(PARTS)) {
    const [all, quoted, colon] = found;
    shown.push(text.slice(end, found.index));
    const kind = quoted ? (colon ? "json-key" : "json-text") : "json-other";
    shown.push(<span class={kind}>{quoted ?? all}</span>, colon ?? "");
    end = found.index + all.length;
  }
  return [...shown, text.slice(end)];
}
