// Makes build/console of src/: the same bytes on every machine.
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Returns the licences of the packages that are in the bundle: their words must go with each copy. */
function licences() {
  const { packages } = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"));
  const told = new Map();
  for (const [folder, { dev, version }] of Object.entries(packages)) {
    if (dev || !folder) continue;
    const [, holder, words] = /(Copyright .*)\n([\s\S]*)/.exec(readFileSync(join(here, folder, "LICENSE"), "utf8"));
    const line = `${folder.replace("node_modules/", "")} ${version}: ${holder}`;
    told.set(words, [...(told.get(words) ?? []), line]);
  }
  return [...told].map(([words, lines]) => `/*\n${lines.join("\n")}\n${words}*/`).join("\n");
}

await build({
  absWorkingDir: here,
  entryPoints: [
    { in: "src/main.tsx", out: "console" },
    { in: "src/style/main.css", out: "console" },
    { in: "src/index.html", out: "index" },
  ],
  loader: { ".html": "copy" },
  outdir: "../build/console",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  supported: { nesting: true },
  jsx: "automatic",
  jsxImportSource: "preact",
  charset: "utf8",
  legalComments: "none",
  footer: { js: licences() },
  logLevel: "warning",
});
