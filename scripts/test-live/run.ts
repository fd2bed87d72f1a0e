import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The tests against real programs, two files at a time. A file or two in which a test failed run once more, alone: the programs they run
 * beside siphon's are not free of rare faults of their own on a busy machine. What fails again, or in more files, has failed.
 */
const pattern = process.argv[2] ?? "packages/*/test/live/**/*.test.ts";
const directory = mkdtempSync(join(tmpdir(), "siphon-live-"));
try {
  process.exitCode = runAll();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function runAll(): number {
  const first = run([pattern], 2);
  if (first.exitCode === 0 || first.failed.length === 0 || first.failed.length > 2) return first.exitCode;
  console.log(`\nonce more, alone:\n${first.failed.join("\n")}\n`);
  return run(first.failed, 1).exitCode;
}

function run(files: string[], concurrency: number): { exitCode: number; failed: string[] } {
  const list = join(directory, "failed");
  const reporter = fileURLToPath(new URL("./failed-files.ts", import.meta.url));
  const { status } = spawnSync(
    process.execPath,
    [
      ...["--test", `--test-concurrency=${concurrency}`, "--test-timeout=600000", "--test-force-exit"],
      ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
      ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${list}`],
      ...files,
    ],
    { stdio: "inherit" },
  );
  return { exitCode: status ?? 1, failed: readFileSync(list, "utf8").split("\n").filter(Boolean) };
}
