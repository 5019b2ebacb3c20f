/** Words for people, made from records that may be hostile: text only, and nothing invisible in it. */

// Controls, format characters (among them those that reverse reading order), lone surrogates.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

/** Text with every invisible character replaced by a visible mark. */
export function clean(text: string): string {
  return text.replace(UNSEEN, (char) => (char === "\n" || char === "\t" ? " " : "\u{FFFD}"));
}

/** Text cut in the middle, so that both ends still tell it apart. */
export function fit(text: string, length: number): string {
  const points = [...clean(text)];
  if (points.length <= length) return points.join("");
  const tail = Math.floor((length - 1) / 2);
  return `${points.slice(0, length - 1 - tail).join("")}…${points.slice(points.length - tail).join("")}`;
}

/** A long reference or digest with the long hexadecimal parts shortened. */
export function brief(text: string): string {
  return clean(text).replace(/([0-9a-f]{10})[0-9a-f]{14,}…?/g, "$1…");
}

/** `was_generated_by` as it is said. */
export function words(text: string): string {
  return clean(text).replaceAll("_", " ");
}

/** An instant, to the minute, as UTC. */
export function instant(text: string | null): string {
  return text === null || text === undefined ? "" : `${text.slice(0, 16).replace("T", " ")} UTC`;
}

export function percent(value: number | null): string {
  return value === null ? "" : `${Number(value.toFixed(2))} %`;
}

/** The short name of a reference that nothing else is known of: `model:prod/churn@3` as `churn v3`. */
export function shortName(ref: string): string {
  const [path = "", version = ""] = ref.replace(/^[^:]*:/u, "").split("@");
  const name = path.split("/").pop() ?? path;
  return brief(version === "" ? name : `${name} ${/^\d+$/u.test(version) ? "v" : ""}${version}`);
}

/** An endpoint without its kind: among endpoints, all of them are. */
export function shortEndpoint(ref: string): string {
  return brief(ref.replace(/^endpoint:/u, ""));
}
