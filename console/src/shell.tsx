/** The frame: navigation at the left, one view, and what is true of all of them. */
import type { ComponentChildren } from "preact";
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { signOut } from "./api/session.ts";
import { live } from "./model/live.ts";
import { go, link, route } from "./route.ts";
import { span } from "./model/time.ts";
import { IconButton } from "./ui/button.tsx";
import { Dialog } from "./ui/dialog.tsx";
import { Choice } from "./ui/field.tsx";
import { Icon, Mark, type IconName } from "./ui/icons.tsx";
import { useKeys } from "./ui/keys.ts";
import { THEMES, choose, theme, type Theme } from "./ui/theme.ts";
import { ahead } from "./ui/time.tsx";
import { Toasts } from "./ui/toasts.tsx";

const PLACES: readonly (readonly [path: string, word: string, icon: IconName])[] = [
  ["payments", "Payments", "payments"],
  ["test", "Test payments", "test"],
  ["webhooks", "Webhooks", "webhooks"],
  ["requests", "Requests", "requests"],
  ["clock", "Clock", "clock"],
  ["health", "Health", "health"],
];

const LIVE: Record<string, string> = { live: "Connected", connecting: "Reconnecting…", crowded: "No updates: too many tabs", off: "Not connected" };

const helping = signal(false);

/** Puts a view into the frame. */
export function Shell({ children }: { children: ComponentChildren }) {
  useKeys({
    "?": () => { helping.value = true; },
    "/": search,
    g: () => go(link(["payments"])),
    n: () => go(link(["test"])),
  });
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to content</a>
      <aside class="side">
        <a class="brand" href={link(["payments"])}><Mark />paygate<span class="sandbox">Sandbox</span></a>
        <Nav />
        <Toasts />
        <Foot />
      </aside>
      <main id="main" class="main" tabIndex={-1}>{children}</main>
      {helping.value && <Help onClose={() => { helping.value = false; }} />}
    </div>
  );
}

/** Goes to the view's search, or to that of payments. */
function search(): void {
  const field = document.querySelector<HTMLInputElement>("[data-search]");
  if (field) field.focus();
  else go(link(["payments"]));
}

function Nav() {
  const here = route.value.path[0] ?? "payments";
  const nav = useRef<HTMLElement>(null);
  // On a phone not all of them have room.
  useEffect(() => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [here]);
  return (
    <nav ref={nav} class="nav" aria-label="Console">
      {PLACES.map(([path, word, icon]) => (
        <a key={path} href={link([path])} aria-current={here === path ? "page" : undefined}><Icon name={icon} />{word}</a>
      ))}
    </nav>
  );
}

function Foot() {
  return (
    <div class="side-foot">
      <div class="row">
        <span class="live" data-state={live.state.value} role="status">
          <span class="live-dot" aria-hidden="true" /><span class="narrow-unseen">{LIVE[live.state.value]}</span>
        </span>
      </div>
      {ahead.value > 1_000 && (
        <a class="row wide-text" href={link(["clock"])}><Icon name="clock" size={14} />{span(ahead.value)} ahead</a>
      )}
      <a class="row wide-text" href="/docs">API reference</a>
      <div class="row">
        <span class="wide-text"><IconButton icon="keyboard" label="Keyboard shortcuts" onClick={() => { helping.value = true; }} /></span>
        <span class="theme" title="Theme"><Icon name="theme" /><Choice label="Theme" value={theme.value} onInput={(one) => choose(one as Theme)} options={THEMES} /></span>
        <IconButton icon="leave" label="Sign out" onClick={() => signOut()} />
      </div>
    </div>
  );
}

const KEYS: readonly (readonly [string, string])[] = [
  ["/", "Search"],
  ["j  k", "Next and previous row"],
  ["Enter", "Open the row"],
  ["Esc", "Close what is open"],
  ["c", "Capture the open payment"],
  ["r", "Refund it"],
  ["v", "Void it"],
  ["n", "New test payment"],
  ["g", "Payments"],
  ["?", "This list"],
];

function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="stack-tight">
        {KEYS.map(([keys, does]) => (
          <div key={keys} class="row between"><dt>{does}</dt><dd class="row">{keys.split("  ").map((key) => <kbd key={key}>{key}</kbd>)}</dd></div>
        ))}
      </dl>
    </Dialog>
  );
}
