/**
 * The tests against real programs: `node scripts/test-live/run.ts [--root=ROOT] [--at-once=N] [FILE...]`, all files by
 * default, two at a time. With a root (`siphon root build`), Ceph, QEMU and fio are the root's. Each file runs in its
 * own process with a time limit: a file that hangs is ended and fails. A file that leaves programs running fails, and
 * they are ended. Nothing is repeated unless SIPHON_REPEAT_FAILED=N is set, as in CI: then up to N failed files run
 * once more, alone, and the second result counts.
 */
import { globSync, mkdtempSync, rmSync } from "node:fs";
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
  let results = await runAll(files, Number(flags["at-once"]), environment);
  const failed = results.filter(({ failure }) => failure !== undefined);
  sumUp(results, failed);
  if (failed.length > 0 && failed.length <= Number(process.env.SIPHON_REPEAT_FAILED ?? 0)) {
    const again = failed.map(({ file }) => file);
    console.log(`FLAKY, once more: ${again.join(" ")}\n`);
    results = await runAll(again, 1, environment);
    sumUp(
      results,
      results.filter(({ failure }) => failure !== undefined),
    );
  }
  const passed = results.length > 0 && results.every(({ failure }) => failure === undefined);
  process.exitCode ??= passed ? 0 : 1;
} finally {
  rmSync(shims, { recursive: true });
}

async function runAll(
  files: string[],
  atOnce: number,
  environment: NodeJS.ProcessEnv,
): Promise<FileResult[]> {
  const waiting = [...files];
  const results: FileResult[] = [];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined && !stop.signal.aborted; file = waiting.shift()) {
      const result = await runFile(file, environment, stop.signal);
      results.push(result);
      console.log(`${result.output.trimEnd()}\n${file}: ${verdictOf(result)}, ${result.seconds} s\n`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

function verdictOf({ failure }: FileResult): string {
  return failure === undefined ? "passed" : `FAILED: ${failure}`;
}

function sumUp(results: FileResult[], failed: FileResult[]): void {
  const slowest = results.toSorted((a, b) => b.seconds - a.seconds).slice(0, 15);
  console.log(`The slowest files, of ${results.length}, on ${availableParallelism()} CPUs:`);
  for (const { file, seconds } of slowest) console.log(`${String(seconds).padStart(6)} s  ${file}`);
  for (const result of failed)
    console.log(`\n✖ ${result.file}: ${verdictOf(result)}\n${result.failingTests}`);
  // As node's own runner sums up.
  for (const count of ["tests", "pass", "fail", "cancelled", "skipped"] as const) {
    console.log(`ℹ ${count} ${results.reduce((sum, { counts }) => sum + counts[count], 0)}`);
  }
}

/** In which programs are found in the root first. */
async function environmentOf(name: string): Promise<NodeJS.ProcessEnv> {
  writeShims(await Root.find(name, { uses: ["ceph"] }), shims);
  return { PATH: `${shims}${delimiter}${process.env.PATH}`, SIPHON_TEST_PYTHON: join(shims, "python3") };
}
