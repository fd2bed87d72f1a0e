/**
 * Writes the tables of docs/rbd.md that are made from the code: each stands between two marks with its name. `--check` writes nothing
 * and fails where the page is not what the code says.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { settingUses } from "@siphon/rbd";
import { differences } from "../packages/proving/soak/rbd/commands/differences.ts";

const page = new URL("../docs/rbd.md", import.meta.url);
const text = readFileSync(page, "utf8");
const wanted = between(between(text, "settings", settingsTable()), "differences", differencesTable());

if (!process.argv.includes("--check")) writeFileSync(page, wanted);
else if (text !== wanted) {
  process.stderr.write("docs/rbd.md is not what the code says; run: npm run docs:rbd\n");
  process.exitCode = 1;
}

/** A row for all settings that come to the same; what is obeyed first. */
function settingsTable(): string {
  const groups = Map.groupBy(settingUses, ({ use, what }) => `${use} | ${what}`);
  const lines = [...groups].map(
    ([key, rows]) => `| ${rows.map(({ name }) => `\`${name}\``).join(", ")} | ${key} |`,
  );
  const rank = (line: string) =>
    ["obeyed", "refused", "no effect"].findIndex((use) => line.includes(`| ${use} |`));
  const sorted = lines.sort((a, b) => rank(a) - rank(b));
  return ["| setting | in siphon | meaning or reason |", "| --- | --- | --- |", ...sorted].join("\n");
}

/** What the campaign of command lines takes for right though it is not what rbd does. */
function differencesTable(): string {
  const what = { code: "exit code", stdout: "output", stderr: "message" };
  const lines = differences.map(
    ({ about, in: parts, reason }) =>
      `| ${about} | ${parts.map((part) => what[part]).join(", ")} | ${reason} |`,
  );
  return ["| command line | what differs | why |", "| --- | --- | --- |", ...lines].join("\n");
}

function between(text: string, name: string, content: string): string {
  const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->\n`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`docs/rbd.md has no ${open.trim()} and ${close.trim()}`);
  return `${text.slice(0, from + open.length)}\n${content}\n\n${text.slice(to)}`;
}
