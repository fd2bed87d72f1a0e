import { formats, kinds, named, verbs } from "./verbs.ts";

/** All command lines of the table: for each verb a valid line, and the same line with one change at a time. */
export function allLines(): string[] {
  return [...new Set(verbs.trim().split("\n").flatMap(linesOf))];
}

/** This many of the lines, in their order; the same ones for the same seed. */
export function someLines(count: number, seed: number): string[] {
  const all = allLines();
  const picked = all
    .map((line, index) => ({ line, index, key: mix(seed * 1_000_003 + index) }))
    .sort((a, b) => a.key - b.key)
    .slice(0, count);
  return picked.sort((a, b) => a.index - b.index).map(({ line }) => line);
}

function linesOf(row: string): string[] {
  const [verb = "", kindText = "", optionText = ""] = row.split("|").map((part) => part.trim());
  const places = kindText.split(" ").filter((kind) => kind !== "");
  const options = optionText.split(" ").filter((option) => option !== "");
  const always = options
    .filter((option) => option.startsWith("*"))
    .flatMap((option) => forms(option.slice(1)));
  const best = places.map((kind) => kinds[kind]![0]!);
  const line = (words: readonly string[], more = "") =>
    [verb, ...words, ...always, more].filter(Boolean).join(" ");
  const changed = places.flatMap((kind, place) =>
    kinds[kind]!.slice(1).map((value) => line(best.with(place, value))),
  );
  const byName = places.flatMap((kind, place) =>
    place > 0 ? [] : (named[kind] ?? []).map((text) => line(best.slice(1), text)),
  );
  return [
    line(best),
    ...changed,
    ...places.map((_, count) => line(best.slice(0, count))),
    line([...best, "extra"]),
    ...byName,
    ...options
      .filter((option) => option.startsWith("--"))
      .flatMap((option) => forms(option))
      // An option that the verb always gets must not appear twice.
      .map((text) => line(best, text).replace(repeated(always, text), "")),
    ...(options.includes("F") ? formats.map((format) => line(best, format)) : []),
    line(best, "--nonsense"),
  ];
}

/** `--name=a,b` stands for `--name a` and `--name b`; an empty value stands for the option alone. */
function forms(option: string): string[] {
  const [name = "", values] = option.split("=");
  return values === undefined ? [name] : values.split(",").map((value) => `${name} ${value}`.trim());
}

function repeated(always: readonly string[], text: string): string {
  const name = text.split(" ")[0];
  const found = always.find((each) => each.split(" ")[0] === name);
  return found === undefined ? "\0" : ` ${found}`;
}

function mix(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}
