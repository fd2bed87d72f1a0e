import { readFileSync, writeFileSync } from "node:fs";

/**
 * Puts texts into a page of docs, between `<!-- NAME -->` and `<!-- /NAME -->`, each beginning and ending with a line
 * feed of its own or empty. With `--check` nothing is written, and the process fails if the page is out of date.
 *
 * @param page its name in docs, without `.md` @param textOf the text of a place, starting on the line after its opening
 * mark
 * @param script the npm script that fills the page
 * @param places names that the page must have @throws Error if one is missing
 */
export function fillPage(
  page: string,
  textOf: (name: string) => string,
  { script, places = [] }: { script: string; places?: readonly string[] },
): void {
  const path = new URL(`../docs/${page}.md`, import.meta.url);
  const text = readFileSync(path, "utf8");
  const missing = new Set(places);
  const filled = text.replaceAll(/(<!-- ([\w-]+) -->\n)[\s\S]*?(<!-- \/\2 -->)/g, (_, open, name, close) => {
    missing.delete(name);
    return `${open}${textOf(name)}${close}`;
  });
  if (missing.size > 0) throw new Error(`docs/${page}.md has no place for ${[...missing].join(", ")}`);
  if (filled === text) return;
  if (!process.argv.includes("--check")) writeFileSync(path, filled);
  else {
    console.error(`docs/${page}.md does not say what it is made from; run: npm run ${script}`);
    process.exitCode = 1;
  }
}
