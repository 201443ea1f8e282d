/** Light or dark: what the system has, unless somebody says otherwise here. */
const PLACE = "paygate-theme"; // no secret: it may stay in this browser

/** Applies what was said last. */
export function startTheme(): void {
  const said = localStorage.getItem(PLACE);
  if (said) document.documentElement.dataset["theme"] = said;
}

/** Turns to the other one. */
export function turnTheme(): void {
  const root = document.documentElement;
  const isDark = (root.dataset["theme"] ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  root.dataset["theme"] = isDark ? "light" : "dark";
  localStorage.setItem(PLACE, root.dataset["theme"]);
}
