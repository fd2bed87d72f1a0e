/**
 * The tests against real programs, two files at a time: `node scripts/test-live/run.ts [OPTION...] [FILE...]`, with options of
 * `node --test`. Nothing is repeated. Where SIPHON_FAILED_FILES names a file, the test files in which a test failed are listed there.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const asked = process.argv.slice(2);
const options = asked.filter((word) => word.startsWith("--"));
const files = asked.filter((word) => !word.startsWith("--"));
const list = process.env.SIPHON_FAILED_FILES;
const reporter = fileURLToPath(new URL("./failed-files.ts", import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [
    ...["--test", "--test-concurrency=2", "--test-timeout=600000", "--test-force-exit"],
    ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ...(list ? [`--test-reporter=${reporter}`, `--test-reporter-destination=${list}`] : []),
    ...options,
    ...(files.length > 0 ? files : ["packages/*/test/live/**/*.test.ts"]),
  ],
  { stdio: "inherit" },
);
process.exitCode = status ?? 1;
