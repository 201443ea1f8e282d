/** The drawings: 16 by 16, in the colour of the text beside them, unseen by screen readers. */
import type { ComponentChildren } from "preact";

const PATHS = {
  payments: <><rect x="1.75" y="3.25" width="12.5" height="9.5" rx="1.75" /><path d="M1.75 6.5h12.5M4.5 10h2.5" /></>,
  test: <><path d="M6 1.75h4M6.75 1.75v4.4L2.9 12.4a1.25 1.25 0 0 0 1.1 1.85h8a1.25 1.25 0 0 0 1.1-1.85L9.25 6.15v-4.4M4.6 9.75h6.8" /></>,
  webhooks: <><circle cx="8" cy="4.25" r="2.5" /><circle cx="3.75" cy="11.5" r="2.5" /><circle cx="12.25" cy="11.5" r="2.5" /><path d="M6.9 6.5 5 9.4M9.2 6.4l1.9 3M6.25 11.5h3.5" /></>,
  requests: <path d="M5.25 4.25 1.75 8l3.5 3.75M10.75 4.25 14.25 8l-3.5 3.75M9 2.75 7 13.25" />,
  clock: <><circle cx="8" cy="8" r="6.25" /><path d="M8 4.25V8l2.5 1.75" /></>,
  health: <path d="M1.5 8.25h3l1.75-4.5 3 8.5L11 8.25h3.5" />,
  search: <><circle cx="7" cy="7" r="4.75" /><path d="m10.5 10.5 3.75 3.75" /></>,
  copy: <><rect x="5.25" y="5.25" width="8.5" height="8.5" rx="1.5" /><path d="M10.75 2.25h-7a1.5 1.5 0 0 0-1.5 1.5v7" /></>,
  check: <path d="m2.75 8.5 3.5 3.5 7-8" />,
  close: <path d="m3.5 3.5 9 9M12.5 3.5l-9 9" />,
  back: <path d="M9.75 3 4.75 8l5 5" />,
  plus: <path d="M8 2.75v10.5M2.75 8h10.5" />,
  alert: <><path d="M8 1.9 14.6 13.4H1.4Z" stroke-linejoin="round" /><path d="M8 6.25v3.5M8 11.6v.2" /></>,
  key: <><circle cx="5" cy="11" r="3.25" /><path d="m7.4 8.6 6-6M10.75 5.25l2 2" /></>,
  theme: <><circle cx="8" cy="8" r="6.25" /><path d="M8 1.75a6.25 6.25 0 0 1 0 12.5Z" fill="currentColor" /></>,
  leave: <path d="M6.25 2.25h-3a1 1 0 0 0-1 1v9.5a1 1 0 0 0 1 1h3M10.5 4.75 13.75 8l-3.25 3.25M13.5 8H6.25" />,
  again: <path d="M13.5 8a5.5 5.5 0 1 1-1.9-4.15M13.5 1.75v3h-3" />,
  send: <path d="M14.25 1.75 7 9M14.25 1.75 9.75 14.25 7 9 1.75 6.25Z" stroke-linejoin="round" />,
  inbox: <path d="M1.75 9.25 3.9 3.4a1 1 0 0 1 .95-.65h6.3a1 1 0 0 1 .95.65l2.15 5.85v3a1 1 0 0 1-1 1H2.75a1 1 0 0 1-1-1ZM1.75 9.25h3.5L6.5 11.5h3l1.25-2.25h3.5" stroke-linejoin="round" />,
  event: <path d="M8.75 1.75 3 9h4.25l-.75 5.25L12.75 7H8.5Z" stroke-linejoin="round" />,
  capture: <path d="M8 2v8.25M4.5 7 8 10.5 11.5 7M2.5 13.5h11" />,
  keyboard: <><rect x="1.25" y="3.75" width="13.5" height="8.5" rx="1.5" /><path d="M4 6.5h.1M6.65 6.5h.1M9.3 6.5h.1M11.9 6.5h.1M5 9.5h6" /></>,
} satisfies Record<string, ComponentChildren>;

export type IconName = keyof typeof PATHS;

/** Draws one of them. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return <Drawing size={size}>{PATHS[name]}</Drawing>;
}

/** Draws lines of a weight and a size that go with text. */
export function Drawing({ size = 16, children }: { size?: number; children: ComponentChildren }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5"
      stroke-linecap="round" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

/** The mark of the product: a gate with something that goes through it. */
export function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 22 22" fill="none" aria-hidden="true" focusable="false">
      <rect width="22" height="22" rx="6" fill="currentColor" />
      <path d="M6 16.5V8.75a5 5 0 0 1 10 0v7.75" stroke="var(--paper)" stroke-width="2" stroke-linecap="round" />
      <path d="M11 16.5v-5.75" stroke="var(--paper)" stroke-width="2" stroke-linecap="round" />
    </svg>
  );
}
