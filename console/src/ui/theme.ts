/** Light or dark: what the system has, unless somebody says otherwise here. */
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
export const THEMES: readonly (readonly [Theme, string])[] = [["system", "System"], ["light", "Light"], ["dark", "Dark"]];

const PLACE = "paygate-theme"; // no secret: it may stay in this browser

/** What was chosen last. */
export const theme = signal<Theme>("system");

/** Applies what was chosen last. */
export function startTheme(): void {
  const said = localStorage.getItem(PLACE);
  theme.value = THEMES.find(([one]) => one === said)?.[0] ?? "system";
  apply();
}

/** Chooses, here and from now on. */
export function choose(wanted: Theme): void {
  theme.value = wanted;
  if (wanted === "system") localStorage.removeItem(PLACE);
  else localStorage.setItem(PLACE, wanted);
  apply();
}

function apply(): void {
  if (theme.value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
}
