// Builds the bundles into the Python package. Nothing in them depends on when or where they were built.
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { minify } from "terser";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = fileURLToPath(new URL("../lineage_explorer/static/", import.meta.url));
const shared = { bundle: true, minify: true, format: "esm", target: "es2022", charset: "ascii", legalComments: "none" };

await mkdir(out, { recursive: true });
await build({ ...shared, entryPoints: [`${here}src/widget.ts`], outfile: `${out}view.js` });
await build({ ...shared, entryPoints: [`${here}src/loader.ts`], outfile: `${out}loader.js` });
await build({ ...shared, entryPoints: [`${here}src/report.ts`], outfile: `${out}report.js` });
await build(await chapters(`${out}chapters.js`));
await build({ ...shared, entryPoints: [`${here}src/chapters-report.ts`], outfile: `${out}chapters-report.js` });
// Every notebook carries the view: a second pass takes a twentieth off it.
for (const name of ["view", "report", "chapters", "chapters-report"]) {
  const { code } = await minify(await readFile(`${out}${name}.js`, "utf8"), { module: true, ecma: 2022, compress: { passes: 3 }, format: { ascii_only: true } });
  await writeFile(`${out}${name}.js`, code);
}
// One style sheet, as the widget carries one: what is named first can be used after.
await style("view", ["view", "controls", "reading", "policy", "drawing", "fitting"].map((name) => `view/${name}`));
await style("chapters", ["chapter", "history", "sides", "impact"].map((name) => `chapters/${name}`));
/** The chapters of widgets: a function of the view's parts (src/parts.ts), which whoever opens one has already. */
async function chapters(outfile) {
  const [, listed] = (await readFile(`${here}src/parts.ts`, "utf8")).match(/parts = \{([^}]*)\}/);
  const names = new Set(listed.match(/\w+/g));
  const given = {
    name: "parts",
    setup(run) {
      run.onResolve({ filter: /\/view\/\w+\.js$/ }, ({ path, resolveDir }) => ({ path: join(resolveDir, path).replace(/js$/, "ts"), namespace: "parts" }));
      run.onLoad({ filter: /./, namespace: "parts" }, async ({ path }) => {
        const told = (await readFile(path, "utf8")).matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm);
        return { contents: [...told].filter(([, name]) => names.has(name)).map(([, name]) => `export const ${name} = parts.${name};`).join("\n") };
      });
    },
  };
  const banner = "export default (parts) => { const module = { exports: {} };";
  return { ...shared, format: "cjs", entryPoints: [`${here}src/chapters-widget.ts`], outfile, plugins: [given], banner: { js: banner }, footer: { js: "return module.exports; };" } };
}

async function style(name, parts) {
  const texts = await Promise.all(parts.map((part) => readFile(`${here}src/${part}.css`, "utf8")));
  await writeFile(`${out}${name}.css`, (await transform(texts.join("\n"), { loader: "css", minify: true, charset: "ascii" })).code);
}
await copyFile(`${here}src/report.css`, `${out}report.css`);
if (process.argv.includes("--bench"))
  await build({ ...shared, entryPoints: [`${here}src/bench.ts`], outfile: `${here}dist/bench.js` });

// The JupyterLab extension, by Jupyter's own builder: it knows which packages JupyterLab shares at run time.
const find = createRequire(import.meta.url).resolve;
const core = find("@jupyterlab/core-meta/core.package.json");
const builder = find("@jupyter/builder/lib/build-labextension.js");
execFileSync(process.execPath, [builder, "--core-package-file", core, here], { cwd: here, stdio: ["ignore", "ignore", "inherit"] });
// Tells JupyterLab's extension list who installed it; in here, so that a link to this folder is a whole install.
await copyFile(`${here}install.json`, fileURLToPath(new URL("../lineage_explorer/labextension/install.json", import.meta.url)));
