/** Taking a view along: as a picture, a table or the audit itself. Everything is made in the page. */

import { html } from "./dom.js";
import { clean } from "./text.js";

/** A spreadsheet takes these for the beginning of a formula. */
const FORMULA = /^[=+\-@\t\r]/u;
/** Pixels that every browser can hold in a canvas. */
const SIDE = 8192;
const AREA = 48_000_000;

/**
 * Rows as RFC 4180 has them. A cell that a spreadsheet could take for a formula gets an apostrophe before it, as
 * records are hostile text; whoever reads the file with a program takes it away again.
 */
export function csv(rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => {
    const safe = FORMULA.test(text) ? `'${clean(text)}` : clean(text);
    return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** `endpoint:prod/churn` as the name of a file that every system takes. */
export function fileName(ref: string, ending: string): string {
  const plain = ref.replace(/^[^:]*:/u, "").replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/gu, "");
  return `${plain.slice(0, 80) || "lineage"}.${ending}`;
}

/** A link for a text beside the saved audit, in Markdown; nothing in the name can end it. */
export function savedLink(title: string, file: string): string {
  return `[${clean(title).replace(/[\\[\]`*_<>!]/gu, "\\$&")}](${encodeURIComponent(file)})`;
}

export function download(name: string, content: Blob, near: HTMLElement): void {
  const url = URL.createObjectURL(content);
  const link = html("a", { href: url, download: name, hidden: true });
  near.append(link);
  link.click();
  link.remove();
  // The browser reads it after the click has been dealt with.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Pixels of a picture for each of the drawing's: two, or as many as a canvas can hold. */
export function pixels(width: number, height: number): number {
  return Math.min(2, SIDE / width, SIDE / height, Math.sqrt(AREA / (width * height)));
}

/** A drawing as pixels, and how many of them there are for each of its own. */
export async function png(svgText: string): Promise<{ picture: Blob; scale: number }> {
  const root = new DOMParser().parseFromString(svgText, "image/svg+xml").documentElement;
  const [width, height] = [Number.parseFloat(root.getAttribute("width") ?? ""), Number.parseFloat(root.getAttribute("height") ?? "")];
  if (!(width > 0 && height > 0)) throw new Error("The drawing is empty.");
  const scale = pixels(width, height);
  const image = new Image();
  image.width = width;
  image.height = height;
  // Not a blob: the report's content policy allows pictures in data alone.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText)}`;
  await image.decode();
  const canvas = html("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("This browser makes no pictures.");
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const picture = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (picture === null) throw new Error("The picture is too large for this browser; save it as SVG.");
  return { picture, scale };
}
