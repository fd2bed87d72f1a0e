import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const top = fileURLToPath(new URL("../../..", import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(top, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};
const programs = Object.keys(scripts).filter((name) => /^(bench|soak):/.test(name));

test("every benchmark and soak describes the options that the documentation gives it", async () => {
  assert.ok(programs.length > 15);
  for (const name of programs) {
    const { code, stdout, stderr } = await run(name, "--help");
    assert.deepEqual([code, stderr], [0, ""], name);
    assert.ok(stdout.startsWith(`Usage: npm run ${name} -- [options]`), stdout);
    for (const option of documented(name))
      assert.ok(stdout.includes(` ${option} `), `${name} has no ${option}, which the documentation gives it`);
  }
});

test("a benchmark or soak refuses unknown options and bad values in a sentence", async () => {
  for (const [args, words] of [
    [["--rouds", "3"], /unknown option '--rouds'/],
    [
      ["--rounds", "many"],
      /'--rounds <n>' argument 'many' is invalid\. It takes a whole number of at least 1/,
    ],
    [["--rounds", "0"], /whole number of at least 1/],
    [["--stores", "memstore,disk"], /The words are memstore, bluestore/],
    [["more"], /too many arguments/],
  ] as const) {
    const { code, stdout, stderr } = await run("bench:rbd", ...args);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, words);
    assert.match(stderr, /--help lists the options/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});

/** The long options that README and docs/ give to a program. */
function documented(name: string): string[] {
  const pages = [
    "README.md",
    "CONTRIBUTING.md",
    ...readdirSync(join(top, "docs")).map((page) => join("docs", page)),
  ];
  const text = pages
    .filter((page) => page.endsWith(".md"))
    .map((page) => readFileSync(join(top, page), "utf8"))
    .join("\n");
  const calls = text.matchAll(new RegExp(`npm run ${name} -- ([^\`#|\\n]*)`, "g"));
  return [...calls].flatMap(([, args = ""]) => args.match(/--[a-z-]+/g) ?? []);
}

function run(name: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = scripts[name]!.replace(/^node /, "");
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], { cwd: top }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode!, stdout, stderr }),
    );
  });
}
