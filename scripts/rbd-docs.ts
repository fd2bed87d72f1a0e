/**
 * Writes the tables of docs/rbd.md that are made from the code: each stands between two marks with its name. `--check` writes nothing
 * and fails where the page is not what the code says.
 */
import { settingUses } from "@siphon/rbd";
import { differences } from "../packages/proving/soak/rbd/commands/differences.ts";
import { fillPage } from "./filled-page.ts";

const tables: Record<string, () => string> = { settings: settingsTable, differences: differencesTable };
fillPage("rbd", (name) => `\n${tables[name]!()}\n\n`, { script: "docs:rbd", places: Object.keys(tables) });

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
