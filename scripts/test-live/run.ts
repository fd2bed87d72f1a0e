/**
 * The tests against real programs: `node scripts/test-live/run.ts [--root=ROOT] [--at-once=N] [FILE...]`, all files unless told, two at
 * a time. With a root (`siphon root build`), Ceph, QEMU and fio are the root's. Each file runs in a process of its own and has its
 * time: one that hangs is ended, and fails. One that leaves programs running fails, and they are ended. Nothing is repeated. Where
 * SIPHON_FAILED_FILES names a file, the test files that failed are listed there.
 */
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { Root } from "../../packages/lab/src/roots/root.ts";
import { type FileResult, runFile } from "./file.ts";
import { writeShims } from "./shims.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { root: { type: "string" }, "at-once": { type: "string", default: "2" } },
});
const files = positionals.length > 0 ? positionals : globSync("packages/*/{,test/}live/**/*.test.ts").sort();
const waiting = [...files];
const results: FileResult[] = [];
const stop = new AbortController();
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.once(signal, () => {
    process.exitCode = code;
    stop.abort();
  });
}
const shims = mkdtempSync(join(tmpdir(), "siphon-live-"));
try {
  const environment = flags.root ? await environmentOf(flags.root) : {};
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined && !stop.signal.aborted; file = waiting.shift()) {
      const result = await runFile(file, environment, stop.signal);
      results.push(result);
      const verdict = result.failure ? `FAILED: ${result.failure}` : "passed";
      console.log(`${result.output.trimEnd()}\n${file}: ${verdict}, ${result.seconds} s\n`);
    }
  };
  await Promise.all(Array.from({ length: Number(flags["at-once"]) }, worker));
} finally {
  rmSync(shims, { recursive: true });
}
if (!stop.signal.aborted) sumUp();

function sumUp(): void {
  const slowest = results.toSorted((a, b) => b.seconds - a.seconds).slice(0, 15);
  console.log(`The slowest files, of ${results.length}, on ${availableParallelism()} CPUs:`);
  for (const { file, seconds } of slowest) console.log(`${String(seconds).padStart(6)} s  ${file}`);
  const failed = results.filter(({ failure }) => failure !== undefined);
  for (const { file, failure, failingTests } of failed)
    console.log(`\n✖ ${file}: ${failure}\n${failingTests}`);
  // As node's own runner sums up.
  for (const count of ["tests", "pass", "fail", "cancelled", "skipped"] as const) {
    console.log(`ℹ ${count} ${results.reduce((sum, { counts }) => sum + counts[count], 0)}`);
  }
  const list = process.env.SIPHON_FAILED_FILES;
  if (list && failed.length > 0) writeFileSync(list, failed.map(({ file }) => `${file}\n`).join(""));
  if (failed.length > 0 || results.length === 0) process.exitCode = 1;
}

/** In which programs are found in the root first. */
async function environmentOf(name: string): Promise<NodeJS.ProcessEnv> {
  writeShims(await Root.find(name, { uses: ["ceph"] }), shims);
  return { PATH: `${shims}${delimiter}${process.env.PATH}`, SIPHON_TEST_PYTHON: join(shims, "python3") };
}
