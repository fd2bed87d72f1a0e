/**
 * Siphon on other machines than this one: bare roots of Debian's releases, each as a machine of its own, into which the checkout's last
 * commit is cloned.
 *
 *   node scripts/test-platforms/run.ts newcomer [SUITE...]          the README's first command; bookworm, trixie and sid unless told
 *   node scripts/test-platforms/run.ts platforms [SUITE...]         all parts; trixie and sid unless told
 *   node scripts/test-platforms/run.ts whole [SUITE...]             the newcomer's run, then the whole of npm test
 *   node scripts/test-platforms/run.ts live [SUITE...] FILE...      these live tests, to look into what failed there
 *
 * --record writes the results into docs/results/platforms.json. --seconds N starts no part later than that, and reports
 * those not run. Platforms are tested in parallel, with --one-by-one in turn. The programs' output is in
 * runs/platforms/. Exit code 1: a test failed; 2: the tests could not run.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bareRoot, type Suite, suites } from "./bare-root.ts";
import { Machine } from "./machine.ts";
import { newcomer, only, type Part, parts, whole } from "./part.ts";
import { type PartRecord, writeRecord } from "./record.ts";
import { versionsOf } from "./versions.ts";

const modes: { [mode: string]: { suites: readonly Suite[]; parts: Part[] } } = {
  newcomer: { suites, parts: [newcomer] },
  platforms: { suites: ["trixie", "sid"], parts },
  whole: { suites, parts: [newcomer, whole] },
  live: { suites, parts: [] },
};

const top = fileURLToPath(new URL("../..", import.meta.url));
const logs = join(top, "runs", "platforms");
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { record: { type: "boolean" }, "one-by-one": { type: "boolean" }, seconds: { type: "string" } },
});
const [mode = "", ...words] = positionals;
const files = words.filter((word) => word.endsWith(".test.ts"));
const asked = words.filter((word) => !files.includes(word));
const chosen = modes[mode];
if (chosen === undefined) fail(`say newcomer, platforms, whole or live, not ${mode || "nothing"}`);
if ((mode === "live") !== files.length > 0) fail("live takes the files of tests, and nothing else does");
if (mode === "live") chosen.parts = only(files);
for (const suite of asked)
  if (!suites.includes(suite as Suite)) fail(`there is no platform ${suite}: ${suites.join(", ")}`);
if (process.getuid?.() !== 0) fail("this takes root: it makes namespaces and mounts in them");

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(name, () => stop.abort(new Error(`ended by ${name}`)));
}
mkdirSync(logs, { recursive: true });
const snapshot = mkdtempSync(join(tmpdir(), "siphon-checkout-"));
try {
  const commit = takeSnapshot();
  const platforms = asked.length > 0 ? (asked as Suite[]) : [...chosen.suites];
  const outcomes = flags["one-by-one"]
    ? await inTurn(platforms, (suite) => tryOn(suite, commit))
    : await Promise.all(platforms.map((suite) => tryOn(suite, commit)));
  process.exitCode = outcomes.every(Boolean) ? 0 : 1;
} finally {
  rmSync(snapshot, { recursive: true, force: true });
}

/** A bare clone of the last commit: a checkout may be a work tree whose repository lies elsewhere. */
function takeSnapshot(): string {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: top, encoding: "utf8" }).trim();
  if (git("status", "--porcelain") !== "") say("note", "what is not committed is not tested");
  git(
    "clone",
    "--quiet",
    "--bare",
    "--no-local",
    "--depth",
    "1",
    `file://${top}`,
    join(snapshot, "siphon.git"),
  );
  return git("rev-parse", "--short", "HEAD");
}

/** Whether all parts passed; a failing part ends the platform's run. */
async function tryOn(suite: Suite, commit: string): Promise<boolean> {
  const log = join(logs, `${suite}-${mode}.log`);
  rmSync(log, { force: true });
  await using machines = new AsyncDisposableStack();
  try {
    const { result: root } = await timed(suite, "a bare root", () => bareRoot(suite, stop.signal));
    const start = async () =>
      machines.use(await Machine.start({ root, name: suite, mount: join(snapshot, "siphon.git") }));
    let machine = await start();
    const done: PartRecord[] = [];
    for (const part of chosen.parts) {
      if (performance.now() > Number(flags.seconds ?? Infinity) * 1000) {
        say(suite, `${part.name}: NOT RUN, as the time is over`);
        continue;
      }
      const run = () => timed(suite, part.name, () => part.run(machine, { log, signal: stop.signal }));
      const first = part === chosen.parts[0];
      const { result: found, seconds } = await run().catch(async (error: Error) => {
        if (!first || stop.signal.aborted || !process.env.SIPHON_REPEAT_FAILED) throw error;
        say(suite, `FLAKY, once more: ${part.name}: ${error.message}\n${endOf(log)}`);
        machine = await start();
        return run();
      });
      done.push({ name: part.name, seconds, found });
    }
    if (flags.record && mode !== "newcomer" && done.length === chosen.parts.length) {
      const entry = {
        date: new Date().toISOString(),
        commit,
        versions: await versionsOf(machine),
        parts: done,
      };
      writeRecord(suite, mode === "whole" ? "whole" : "parts", entry);
    }
    return true;
  } catch (error) {
    const { message } = error as Error;
    say(suite, `FAILED: ${stop.signal.aborted ? stop.signal.reason : message}`);
    if (existsSync(log)) console.error(endOf(log), `\nall of it: ${log}`);
    return false;
  }
}
async function timed<T>(
  suite: Suite,
  name: string,
  work: () => Promise<T>,
): Promise<{ result: T; seconds: number }> {
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 1000);
  try {
    const result = await work();
    say(suite, `${name}: ${result}, ${seconds()} s`);
    return { result, seconds: seconds() };
  } catch (error) {
    say(suite, `${name}: FAILED after ${seconds()} s`);
    throw error;
  }
}

/** The failures from the summary of the live tests or of node's test runner, or else the last lines. */
function endOf(log: string): string {
  const text = readFileSync(log, "utf8");
  const live = text.lastIndexOf("The slowest files, of");
  const summary = live >= 0 ? live : text.lastIndexOf("failing tests:");
  return (summary >= 0 ? text.slice(summary, summary + 8000) : text.slice(-4000)).trimEnd();
}

async function inTurn<T, R>(items: T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

function say(who: string, text: string): void {
  console.log(`${who}: ${text}`);
}

function fail(text: string): never {
  console.error(`test-platforms: ${text}`);
  process.exit(2);
}
