// Builds the bundles into the Python package. Nothing in them depends on when or where they were built.
import { mkdir, copyFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = fileURLToPath(new URL("../lineage_explorer/static/", import.meta.url));
const shared = { bundle: true, minify: true, format: "esm", target: "es2022", charset: "ascii", legalComments: "none" };

await mkdir(out, { recursive: true });
await build({ ...shared, entryPoints: [`${here}src/widget.ts`], outfile: `${out}view.js` });
await build({ ...shared, entryPoints: [`${here}src/report.ts`], outfile: `${out}report.js` });
for (const name of ["view.css", "report.css"]) await copyFile(`${here}src/${name}`, `${out}${name}`);
if (process.argv.includes("--bench"))
  await build({ ...shared, entryPoints: [`${here}src/bench.ts`], outfile: `${here}dist/bench.js` });
