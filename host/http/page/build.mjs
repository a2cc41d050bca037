// Builds `dist/`: the files that the program serves. The same sources and the same lock file give the same bytes.

import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const fonts = join(here, "../../../core/dsp/fonts");

/** Genre profiles are those of the program: what charts show of them becomes a part of the page. */
const profiles = {
  name: "profiles",
  setup({ onLoad }) {
    onLoad({ filter: /profiles\.toml$/ }, ({ path }) => {
      const { profile } = parse(readFileSync(path, "utf8"));
      const shown = profile.map(({ id, name, band_level_db }) => ({ id, name, bands: band_level_db }));
      return { contents: JSON.stringify(shown), loader: "json" };
    });
  },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);

const result = await build({
  absWorkingDir: here,
  // `editor` is loaded when a pipeline is edited, `live` runs on the audio thread, `theme` before the first paint.
  entryPoints: {
    app: "src/app.tsx",
    editor: "src/editor/editor.ts",
    live: "src/effects/worklet.ts",
    theme: "src/theme.ts",
  },
  external: ["/editor.js", "*.ttf"],
  outdir: dist,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  plugins: [profiles],
  legalComments: "none",
  charset: "utf8",
  metafile: true,
  logLevel: "warning",
});

for (const name of ["index.html", "icon.svg"]) copyFileSync(join(here, "src", name), join(dist, name));
for (const name of ["roboto-regular.ttf", "roboto-medium.ttf"]) copyFileSync(join(fonts, name), join(dist, name));
writeFileSync(join(dist, "licenses.txt"), licenses(Object.keys(result.metafile.inputs)));

/** Notices of the packages that are in the built files, in the order of their names. */
function licenses(inputs) {
  const names = new Set(inputs.map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean));
  const parts = [...names].sort().map((name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} has no license file`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
  const roboto = "Roboto (Apache-2.0), a subset\n\nCopyright 2015 Google Inc.\n";
  return [...parts, roboto].join(`\n${"-".repeat(80)}\n\n`);
}
