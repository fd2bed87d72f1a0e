/**
 * Writes docs/doctor.md's explanations of findings from the findings themselves: everything below `<!-- findings -->`.
 * `--check` writes nothing, and fails if the page is out of date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { explanation, findingGroups } from "@siphon/doctor";

const page = new URL("../docs/doctor.md", import.meta.url);
const mark = "<!-- findings -->\n";
const text = readFileSync(page, "utf8");
const head = text.slice(0, text.indexOf(mark) + mark.length);
if (!head.endsWith(mark)) throw new Error(`docs/doctor.md has no ${mark.trim()}`);

const groups = findingGroups.map(
  ({ title, findings }) =>
    `## ${title}\n\n${findings.map((finding) => explanation(finding, "###")).join("\n")}`,
);
const wanted = `${head}\n${groups.join("\n")}`;

if (!process.argv.includes("--check")) writeFileSync(page, wanted);
else if (text !== wanted) {
  process.stderr.write("docs/doctor.md is not what the findings say; run: npm run docs:doctor\n");
  process.exitCode = 1;
}
