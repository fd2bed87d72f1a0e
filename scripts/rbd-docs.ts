/**
 * Writes the tables of docs/rbd.md that are made from the code: each stands between two marks with its name. `--check`
 * writes nothing, and fails if the page is out of date.
 */
import { settingUses } from "@siphon/rbd";
import { differences } from "../packages/proving/soak/rbd/commands/differences.ts";
import { fillPage } from "./filled-page.ts";

const tables: Record<string, () => string> = { settings: settingsTable, differences: differencesTable };
fillPage("rbd", (name) => `\n${tables[name]!()}\n\n`, { script: "docs:rbd", places: Object.keys(tables) });

/** One row for settings with the same answer; supported settings first. */
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

/** Differences from rbd that the campaign of command lines accepts. */
function differencesTable(): string {
  const what = { code: "exit code", stdout: "output", stderr: "message" };
  const lines = differences.map(
    ({ about, in: parts, reason }) =>
      `| ${about} | ${parts.map((part) => what[part]).join(", ")} | ${reason} |`,
  );
  return ["| command line | what differs | why |", "| --- | --- | --- |", ...lines].join("\n");
}
