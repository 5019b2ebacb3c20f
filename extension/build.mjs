// Builds the bundles into the Python package. Nothing in them depends on when or where they were built.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = fileURLToPath(new URL("../lineage_explorer/static/", import.meta.url));
const shared = { bundle: true, minify: true, format: "esm", target: "es2022", charset: "ascii", legalComments: "none" };

await mkdir(out, { recursive: true });
await build({ ...shared, entryPoints: [`${here}src/widget.ts`], outfile: `${out}view.js` });
await build({ ...shared, entryPoints: [`${here}src/report.ts`], outfile: `${out}report.js` });
// One style sheet, as the widget carries one: what is named first can be used after.
const styles = await Promise.all(["view", "drawing"].map((name) => readFile(`${here}src/view/${name}.css`, "utf8")));
await writeFile(`${out}view.css`, styles.join("\n"));
await copyFile(`${here}src/report.css`, `${out}report.css`);
if (process.argv.includes("--bench"))
  await build({ ...shared, entryPoints: [`${here}src/bench.ts`], outfile: `${here}dist/bench.js` });
